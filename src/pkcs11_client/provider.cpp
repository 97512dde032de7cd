#include "provider.hpp"

#include "pin_session.hpp"
#include "refusal.hpp"
#include "wire.hpp"

#include <pkcs11-helper-1.0/pkcs11h-token.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace cps::pkcs11 {
namespace {

constexpr const char* provider_name = "module";

/// After this the library ends a login by itself. It keeps no PIN, so this is but a second
/// fence behind our logout; it must outlast a signature, or the library would ask for the PIN
/// again in the middle.
constexpr int login_lifetime = 60; // seconds

/// So long a token's state counts as known: our module keeps the count of tries as long.
constexpr std::chrono::milliseconds a_moment{1000};

struct CertificateTraits {
    using type = pkcs11h_certificate_t;
    static constexpr type empty = nullptr;
    static void close(type certificate) noexcept
    {
        pkcs11h_certificate_freeCertificate(certificate);
    }
};
using Certificate = UniqueHandle<CertificateTraits>;

ByteView blob(const pkcs11h_certificate_id_s& id)
{
    return {id.certificate_blob, id.certificate_blob_size};
}

void check_before_login(int tries_left, bool pin_pad, const Pin& pin)
{
    if (tries_left == 0)
        throw pin_blocked();
    if (pin_pad != pin.empty())
        throw Error{Errc::bad_argument, "the PIN is typed where it is not asked for"};
}

/// Ends the login however the signature ended.
class Logout {
public:
    Logout() = default;
    ~Logout() { pkcs11h_logout(); }
    Logout(const Logout&) = delete;
    Logout& operator=(const Logout&) = delete;
};

} // namespace

void Provider::IdTraits::close(type id) noexcept
{
    pkcs11h_certificate_freeCertificateId(id);
}

Provider::Provider(const std::string& module_path) : tokens_{module_path}
{
    check(pkcs11h_initialize(), "pkcs11-helper does not start");
    pkcs11h_setLogLevel(PKCS11H_LOG_QUIET);
    // No hook ever hands out a PIN, and every call below forbids to prompt; that the library
    // would also try only once instead of three times is the second fence.
    check(pkcs11h_setMaxLoginRetries(1), "pkcs11-helper refuses a setting");
    check(pkcs11h_setProtectedAuthentication(0), "pkcs11-helper refuses a setting");
    check(pkcs11h_setPINCachePeriod(login_lifetime), "pkcs11-helper refuses a setting");
    check(pkcs11h_addProvider(provider_name, module_path.c_str(), 0,
                              PKCS11H_PRIVATEMODE_MASK_SIGN, PKCS11H_SLOTEVENT_METHOD_AUTO, 0,
                              0),
          "the PKCS #11 module does not initialise");
    is_our_own_ = tokens_.are_our_own();
    if (is_our_own_)
        tokens_.learn_slots();
}

Provider::~Provider()
{
    key_.reset();
    listed_.clear();
    pkcs11h_terminate();
}

std::vector<TokenCertificate> Provider::certificates()
{
    pkcs11h_certificate_id_list_t ends = nullptr;
    check(pkcs11h_certificate_enumCertificateIds(PKCS11H_ENUM_METHOD_RELOAD, nullptr, 0,
                                                 nullptr, &ends),
          "the certificates cannot be listed");
    told_ = {};
    listed_.clear();
    key_.reset();
    for (auto entry = ends; entry != nullptr; entry = entry->next)
        listed_.emplace_back(std::exchange(entry->certificate_id, nullptr));
    pkcs11h_certificate_freeCertificateIdList(ends);
    if (listed_.size() > max_certificates)
        throw Error{Errc::module_failed, "the module has too many certificates"};

    std::vector<TokenCertificate> listing;
    for (const auto& id : listed_) {
        const auto der = blob(*id.get());
        const auto& token = *id.get()->token_id;
        // The certificates of one token come together.
        if (told_.token == nullptr ||
            !pkcs11h_token_sameTokenId(told_.token, id.get()->token_id))
            told_ = {id.get()->token_id, tokens_.state_of(token),
                     std::chrono::steady_clock::now()};
        const auto& state = told_.state;
        if (!state || der.empty() || der.size() > max_certificate ||
            id.get()->attrCKA_ID_size > max_id)
            continue;
        listing.push_back({listing.size(), copy_of(der),
                           copy_of({id.get()->attrCKA_ID, id.get()->attrCKA_ID_size}),
                           state->reader, token.label, token.serialNumber, state->tries_left,
                           state->pin_pad});
    }
    // pkcs11-helper passes over a module that cannot list its slots.
    if (listing.empty())
        (void)tokens_.slots();
    return listing;
}

std::vector<TokenCertificate> Provider::find(const Wanted& wanted)
{
    if (!is_our_own_)
        return certificates();
    key_.reset();
    return {key_.emplace(tokens_, wanted).certificate()};
}

void Provider::prepare()
{
    if (key_)
        key_->prepare();
}

std::optional<TokenState> Provider::state_of(pkcs11h_token_id_t token) const
{
    const bool fresh = std::chrono::steady_clock::now() - told_.at < a_moment;
    if (fresh && told_.token != nullptr && pkcs11h_token_sameTokenId(told_.token, token))
        return told_.state;
    return tokens_.state_of(*token);
}

const pkcs11h_certificate_id_s& Provider::listed(ByteView certificate) const
{
    const auto found = std::ranges::find_if(listed_, [&](const CertificateId& id) {
        return std::ranges::equal(blob(*id.get()), certificate);
    });
    if (found == listed_.end())
        throw card_gone();
    return *found->get();
}

Error Provider::failed(const pkcs11h_token_id_s& token, CK_RV rv) const
{
    return failure(rv, tokens_.state_of(token).has_value());
}

std::optional<WrongPin> Provider::log_in(pkcs11h_token_id_t token, Pin pin, int tries_before)
{
    // The library wants a C string: one more locked page, wiped with it. None means the
    // reader's keypad, in C_Login as here.
    LockedPage text;
    std::ranges::copy(pin.bytes(), text.bytes().begin());
    const auto* const typed =
        pin.empty() ? nullptr
                    : reinterpret_cast<const char*>(std::as_const(text).bytes().data());
    pin.clear();
    const auto rv = pkcs11h_token_login(token, 1, typed);
    wipe(text.bytes());
    if (rv == CKR_OK)
        return std::nullopt;
    if (!says_wrong_pin(rv))
        throw failed(*token, rv);
    const auto state = tokens_.state_of(*token);
    const auto tries = state ? state->tries_left : tries_before - 1;
    if (tries <= 0)
        throw pin_blocked();
    return WrongPin{tries};
}

Bytes Provider::sign_logged_in(const pkcs11h_certificate_id_s& id, ByteView digest_info)
{
    pkcs11h_certificate_t created = nullptr;
    check(pkcs11h_certificate_create(const_cast<pkcs11h_certificate_id_t>(&id), nullptr, 0,
                                     PKCS11H_PIN_CACHE_INFINITE, &created),
          "pkcs11-helper refuses the certificate");
    const Certificate certificate{created};

    // The size first, and then that size exactly: the vendor's module refuses a larger buffer
    // for a CPS4's authentication key (CKR_ARGUMENTS_BAD, Cryptolib CPS 5.2.2, 2026-11).
    const auto sign = [&](std::uint8_t* target, std::size_t& size) {
        return pkcs11h_certificate_sign(created, CKM_RSA_PKCS, digest_info.data(),
                                        digest_info.size(), target, &size);
    };
    std::size_t size = 0;
    auto rv = sign(nullptr, size);
    if (rv != CKR_OK)
        throw failed(*id.token_id, rv);
    if (size == 0 || size > max_signature)
        throw Error{Errc::module_failed, "the module tells an absurd signature size"};
    Bytes signature(size);
    rv = sign(signature.data(), size);
    if (rv != CKR_OK)
        throw failed(*id.token_id, rv);
    if (size == 0 || size > signature.size())
        throw Error{Errc::module_failed, "the module tells an absurd signature size"};
    signature.resize(size);
    return signature;
}

Provider::OnToken Provider::token_of(ByteView certificate) const
{
    const auto& token = *listed(certificate).token_id;
    auto state = tokens_.state_of(token);
    if (!state)
        throw card_gone();
    return {token, *std::move(state)};
}

int Provider::puk_tries_left(ByteView certificate)
{
    const auto [token, state] = token_of(certificate);
    if (!can_unblock(tokens_.functions()))
        throw Error{Errc::not_supported, "the module does not unblock a PIN"};
    const PinSession session{tokens_.functions(), state.slot};
    return session.puk_tries_left();
}

std::optional<WrongPin> Provider::change_pin(ByteView certificate, const Pin& old_pin,
                                             const Pin& new_pin)
{
    const auto [token, state] = token_of(certificate);
    if (state.tries_left == 0)
        throw pin_blocked();
    if (state.pin_pad != old_pin.empty())
        throw Error{Errc::bad_argument, "the PIN is typed where it is not asked for"};
    if (state.pin_pad && !can_change_at_keypad(tokens_.functions()))
        throw Error{Errc::not_supported, "the module changes no PIN at a keypad"};

    const PinSession session{tokens_.functions(), state.slot};
    const auto rv = session.change(old_pin, new_pin);
    if (rv == CKR_OK)
        return std::nullopt;
    if (!says_wrong_pin(rv))
        throw failed(token, rv);
    const auto now = tokens_.state_of(token);
    const auto tries = now ? now->tries_left : state.tries_left - 1;
    if (tries <= 0)
        throw pin_blocked();
    return WrongPin{tries};
}

std::optional<WrongPin> Provider::unblock_pin(ByteView certificate, const Pin& puk,
                                              const Pin& new_pin)
{
    const auto [token, state] = token_of(certificate);
    if (!can_unblock(tokens_.functions()))
        throw Error{Errc::not_supported, "the module does not unblock a PIN"};
    if (state.pin_pad != puk.empty())
        throw Error{Errc::bad_argument, "the PUK is typed where it is not asked for"};

    const PinSession session{tokens_.functions(), state.slot};
    const auto before = session.puk_tries_left();
    if (before == 0)
        throw pin_blocked();
    if (const auto rv = session.log_in(puk); rv == CKR_OK) {
        if (const auto set = session.init(new_pin); set != CKR_OK)
            throw failed(token, set);
        return std::nullopt;
    } else if (!says_wrong_pin(rv)) {
        throw failed(token, rv);
    }
    const auto tries = session.puk_tries_left();
    if (tries <= 0)
        throw pin_blocked();
    return WrongPin{tries};
}

SignOutcome Provider::sign(ByteView certificate, Pin pin, ByteView digest_info)
{
    if (key_) {
        const auto& there = key_->certificate();
        if (!std::ranges::equal(there.der, certificate))
            throw Error{Errc::bad_argument, "another certificate was found"};
        check_before_login(there.tries_left, there.pin_pad, pin);
        auto outcome = key_->sign(std::move(pin), digest_info);
        card_was_reset_ = key_->card_was_reset();
        return outcome;
    }
    const auto& id = listed(certificate);
    const auto state = state_of(id.token_id);
    if (!state)
        throw card_gone();
    check_before_login(state->tries_left, state->pin_pad, pin);

    if (const auto wrong = log_in(id.token_id, std::move(pin), state->tries_left))
        return *wrong;
    const Logout at_the_end;
    auto signature = sign_logged_in(id, digest_info);
    card_was_reset_ = is_our_own_ && tokens_.log_out(state->slot);
    return signature;
}

} // namespace cps::pkcs11
