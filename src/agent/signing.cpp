#include "signing.hpp"

#include "card_checks.hpp"
#include "card_code.hpp"
#include "chosen.hpp"
#include "signable.hpp"
#include "texts.hpp"
#include "with_guard.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/crypto/random.hpp"
#include "cps/pkcs11_client/module.hpp"
#include "cps/token/card_token.hpp"

#include <algorithm>

namespace cps::agent {
namespace {

using std::chrono::floor;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds dialog_time{60};   // one dialog
constexpr seconds request_time{110}; // all of them: the portal's nonce lives 120 s
constexpr unsigned max_dialogs = 8;  // of one request: tries, and entries that are no PIN
constexpr std::size_t jti_octets = 16;

/// Errors of a look that say that the card of a session is not there any more.
bool says_another_card(Errc code)
{
    return code == Errc::card_removed || code == Errc::card_unsupported ||
           code == Errc::certificate_missing || code == Errc::certificate_expired;
}

/// One request from its first look at the card to the token.
class Signing {
public:
    Signing(const TokenRequest& request, const Bench& bench) : request_{request}, bench_{bench}
    {
    }

    Result<std::string> run();
    std::optional<int> tries_left() const noexcept { return tries_left_; }
    bool card_refused() const noexcept { return card_refused_; }
    std::optional<SessionGrant> take_grant() { return std::move(grant_); }

private:
    EpochSeconds portal_time() const
    {
        return request_.challenge.issued +
               floor<seconds>(steady_clock::now() - request_.received);
    }
    Result<Chosen> look();
    AskedFor asked_for(const Chosen& chosen, AskedFor::Before before) const;
    PinPrompt::Deadline until() const
    {
        return std::min(steady_clock::now() + dialog_time, request_.received + request_time);
    }
    Result<void> agree_to_last_try(const AskedFor& asked);
    Result<Pin> ask(const AskedFor& asked);
    Result<std::string> at_keypad(const Chosen& chosen, const AskedFor& asked);
    Result<std::string> sign(const Chosen& chosen, const Pin& pin);
    bool is_renewal() const { return request_.session && request_.session->renewal; }
    std::optional<Result<std::string>> renew_silently(const Chosen& chosen);
    struct Moment;
    Moment this_moment() const;
    Signable what_to_sign(const Chosen& chosen, const Moment& moment) const;
    bool may_be_remembered() const;
    pkcs11::CancelSignal signal() const { return {bench_.cancel.fd()}; }

    const TokenRequest& request_;
    const Bench& bench_;
    std::optional<int> tries_left_;
    pcsc::Snapshot before_look_;
    std::optional<steady_clock::time_point> pin_entered_; // by a human; empty: this moment
    std::optional<SessionGrant> grant_;
    bool card_refused_ = false;
    bool seen_whole_ = false;         ///< the words of the last dialog named every feature
    Wording wording_ = Wording::full; ///< the same in every dialog of the request
};

Result<Chosen> Signing::look()
{
    before_look_ = bench_.presence.snapshot();
    const auto* const card = is_renewal() ? &request_.session->renewal->card : nullptr;
    auto found = list_certificates(bench_, card);
    if (!found)
        return found.error();
    if (card != nullptr) {
        std::erase_if(*found, [&](const auto& one) { return one.der != card->certificate; });
        if (found->empty())
            return Error{Errc::card_removed, "the session's card is not there"};
    }
    return choose(*found, portal_time(), bench_.last_chosen);
}

AskedFor Signing::asked_for(const Chosen& chosen, AskedFor::Before before) const
{
    return {request_.language,
            request_.origin,
            request_.portal,
            request_.challenge.features,
            full_name(chosen.holder),
            tries_left_.value_or(3),
            before,
            request_.session ? request_.session->claims.limit : 0,
            wording_,
            may_be_remembered() ? static_cast<unsigned>(bench_.consents.life().count()) : 0,
            request_.resembles,
            chosen.on_token.pin_pad,
            is_renewal()};
}

Result<void> Signing::agree_to_last_try(const AskedFor& asked)
{
    if (asked.tries_left != 1)
        return {};
    return bench_.prompt.confirm(last_try_dialog(asked), bench_.cancel, until());
}

Result<Pin> Signing::ask(const AskedFor& asked)
{
    if (const auto agreed = agree_to_last_try(asked); !agreed)
        return agreed.error();
    const auto dialog = pin_dialog(asked);
    seen_whole_ = dialog.whole;
    return bench_.prompt.ask_pin(dialog, bench_.cancel, until());
}

/// The consent first, by a click; then the code, on the reader, as long as a window says so.
/// A renewal was agreed to with its session: the code alone, unless one was wrong.
Result<std::string> Signing::at_keypad(const Chosen& chosen, const AskedFor& asked)
{
    if (const auto agreed = agree_to_last_try(asked); !agreed)
        return agreed.error();
    const bool went_wrong = asked.tries_left != 3 || asked.before != AskedFor::Before::nothing;
    if (!is_renewal() || went_wrong) {
        const auto dialog = pin_dialog(asked);
        seen_whole_ = dialog.whole;
        const auto agreed = bench_.prompt.confirm(dialog, bench_.cancel, until());
        if (!agreed && agreed.error().code() == Errc::consent_refused &&
            asked.before == AskedFor::Before::wrong_pin) // the consent was given before
            return Error{Errc::pin_cancelled, "given up after a wrong code"};
        if (!agreed)
            return agreed.error();
    }
    const auto window = bench_.prompt.show(keypad_notice(asked), bench_.cancel, until());
    if (!window)
        return window.error();
    return sign(chosen, Pin{});
}

/// A site that nobody registered, and Web eID, are explained in full each time.
bool Signing::may_be_remembered() const
{
    return request_.portal != nullptr && !request_.web_eid;
}

/// When a token is made, and how long it lives.
struct Signing::Moment {
    EpochSeconds now; ///< the portal's time
    std::chrono::seconds life;
    steady_clock::time_point signed_at;
    steady_clock::time_point pin_entered; ///< by a human
};

Signing::Moment Signing::this_moment() const
{
    const auto now = portal_time();
    const auto signed_at = request_.received + (now - request_.challenge.issued);
    const auto longest =
        request_.session ? token::max_session_lifetime : token::max_login_lifetime;
    return {now, std::min(longest, request_.challenge.ttl), signed_at,
            pin_entered_.value_or(signed_at)};
}

Signable Signing::what_to_sign(const Chosen& chosen, const Moment& moment) const
{
    if (request_.web_eid)
        return Signable::web_eid(request_.origin, *request_.web_eid, chosen.certificate);
    const token::CardClaims claims{
        chosen.holder.id,
        request_.origin,
        request_.challenge.nonce,
        to_base64url(crypto::random_bytes(jti_octets)),
        moment.now,
        moment.now + moment.life,
        moment.now - floor<seconds>(moment.signed_at - moment.pin_entered),
        request_.challenge.features,
        request_.request,
        request_.session ? std::optional{request_.session->claims} : std::nullopt};
    return Signable::card_token(claims, chosen.certificate);
}

Result<std::string> Signing::sign(const Chosen& chosen, const Pin& pin)
{
    const auto moment = this_moment();
    const auto what = what_to_sign(chosen, moment);
    const auto info =
        crypto::digest_info(crypto::DigestAlgorithm::sha256, crypto::sha256(what.message()));

    auto outcome = with_guard(bench_, chosen.on_token.reader, [&](pkcs11::Module& module) {
        return module.sign(chosen.on_token.index, pin, info, signal());
    });
    if (!outcome) {
        if (outcome.error().code() == Errc::pin_blocked)
            tries_left_ = 0;
        return explained(outcome.error(), bench_.cancel);
    }
    if (const auto* const wrong = std::get_if<pkcs11::WrongPin>(&*outcome)) {
        tries_left_ = wrong->tries_left;
        return Error{Errc::pin_wrong, "the card refused the PIN"};
    }
    const auto& signature = std::get<Bytes>(*outcome);
    if (!chosen.key.verify(Signable::algorithm, what.message(), signature))
        return Error{Errc::module_failed,
                     "the module's signature does not fit the certificate"};
    if (request_.session) // a portal counts its own 600 s, from its nonce
        grant_ = SessionGrant{card_of(chosen, before_look_), moment.now,
                              std::min(moment.now + moment.life,
                                       request_.challenge.issued + token::max_session_lifetime),
                              moment.signed_at, moment.pin_entered};
    return what.answer(signature);
}

/// With the PIN that was kept for this very card, unless it has none or a flag on its PIN.
/// Whatever goes wrong from there on is the card's refusal. Empty: ask the person.
std::optional<Result<std::string>> Signing::renew_silently(const Chosen& chosen)
{
    const auto& renewal = *request_.session->renewal;
    card_refused_ = true;
    if (card_of(chosen, before_look_) != renewal.card)
        return Error{Errc::card_removed, "the session's card was taken out"};
    const bool kept = bench_.config.pin_cache == PinCache::renewal && !chosen.on_token.pin_pad;
    if (kept && chosen.on_token.tries_left != 3)
        return Error{Errc::session_ended, "a wrong PIN was offered to the card meanwhile"};
    auto pin = kept ? bench_.sessions.lend_pin(renewal.card) : std::nullopt;
    if (!pin) {
        card_refused_ = false;
        return std::nullopt;
    }
    pin_entered_ = renewal.pin_entered;
    auto token = sign(chosen, *pin);
    if (token) {
        card_refused_ = false;
        bench_.sessions.give_back_pin(renewal.card, std::move(*pin));
    }
    return token;
}

Result<std::string> Signing::run()
{
    const Watch any_card{bench_.presence, bench_.cancel, {}};
    auto chosen = look();
    if (!chosen) {
        card_refused_ = is_renewal() && says_another_card(chosen.error().code());
        return chosen.error();
    }
    bench_.presence.watch(bench_.cancel, chosen->on_token.reader);

    tries_left_ = chosen->on_token.tries_left;
    if (is_renewal())
        if (auto token = renew_silently(*chosen))
            return *std::move(token);
    const auto& features = request_.challenge.features;
    if (may_be_remembered() && bench_.consents.covers(*request_.portal, features))
        wording_ = Wording::brief;

    auto before = AskedFor::Before::nothing;
    for (unsigned dialogs = 0; dialogs != max_dialogs; ++dialogs) {
        if (tries_left_ == 0)
            return Error{Errc::pin_blocked, "the card's PIN is blocked"};
        const auto asked = asked_for(*chosen, before);
        auto token = Result<std::string>{Error{}};
        if (asked.at_keypad) {
            token = at_keypad(*chosen, asked);
        } else {
            auto pin = ask(asked);
            if (!pin)
                return pin.error();
            if (!is_code(pin->bytes(), pin_digits)) {
                before = AskedFor::Before::not_a_pin;
                continue;
            }
            token = sign(*chosen, *pin);
            if (grant_ && bench_.config.pin_cache == PinCache::renewal)
                grant_->pin = std::move(*pin);
        }
        if (token && may_be_remembered() && seen_whole_ && wording_ == Wording::full)
            bench_.consents.given(*request_.portal, features);
        if (token || token.error().code() != Errc::pin_wrong)
            return token;
        if (tries_left_ == 0)
            return Error{Errc::pin_blocked, "that was the last try"};

        // The person may try again: with a fresh worker, and only on the very same card.
        before = AskedFor::Before::wrong_pin;
        auto again = look();
        if (!again)
            return again.error();
        if (again->certificate.der() != chosen->certificate.der())
            return Error{Errc::card_removed, "another card took the place of the first"};
        chosen = std::move(again);
        tries_left_ = std::min(*tries_left_, chosen->on_token.tries_left);
    }
    return Error{Errc::pin_cancelled, "too many entries for one request"};
}

} // namespace

Outcome sign_token(const TokenRequest& request, const Bench& bench)
{
    Signing signing{request, bench};
    Outcome outcome{Error{}, {}};
    try {
        outcome.token = signing.run();
    } catch (const Error& e) {
        outcome.token = e;
    } catch (const std::exception&) {
        outcome.token = Error{Errc::internal, "signing failed"};
    }
    bench.module.end(); // one that only read the card, too
    outcome.tries_left = signing.tries_left();
    outcome.grant = signing.take_grant();
    outcome.card_refused = signing.card_refused();
    if (!outcome.token && bench.cancel.reason())
        outcome.token = Error{*bench.cancel.reason(), "the card or the agent went away",
                              outcome.token.error().native()};
    return outcome;
}

} // namespace cps::agent
