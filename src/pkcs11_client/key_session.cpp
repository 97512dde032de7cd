#include "key_session.hpp"

#include "refusal.hpp"
#include "wire.hpp"

#include "cps/base/own_module.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cps::pkcs11 {

KeySession::Handle::~Handle()
{
    if (value != CK_INVALID_HANDLE)
        functions.C_CloseSession(value); // the last one: a logout, too
}

KeySession::KeySession(Tokens& tokens, const Wanted& wanted)
    : tokens_{tokens}, session_{tokens.functions()}
{
    const auto state = tokens.state_in(wanted.reader);
    slot_ = state.slot;
    certificate_ = {0,           wanted.der,   wanted.id,        state.reader,
                    state.label, state.serial, state.tries_left, state.pin_pad};
    check(tokens.functions().C_OpenSession(slot_, CKF_SERIAL_SESSION, nullptr, nullptr,
                                           &session_.value),
          "no session to sign in");
    const auto there = object(CKO_CERTIFICATE);
    if (!there || on_card(*there) != wanted.der)
        throw card_gone();
    object_ = *there;
}

void KeySession::prepare() const
{
    // Its subject is known to a module that has parsed it. Whatever comes of it, `sign` tells.
    CK_ATTRIBUTE subject{CKA_SUBJECT, nullptr, 0};
    (void)tokens_.functions().C_GetAttributeValue(session_.value, object_, &subject, 1);
}

std::optional<CK_OBJECT_HANDLE> KeySession::object(CK_OBJECT_CLASS of_class) const
{
    auto& functions = tokens_.functions();
    auto id = certificate_.id;
    std::array<CK_ATTRIBUTE, 2> wanted{
        {{CKA_CLASS, &of_class, sizeof of_class}, {CKA_ID, id.data(), id.size()}}};
    check(functions.C_FindObjectsInit(session_.value, wanted.data(), wanted.size()),
          "the objects cannot be looked for");
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    const auto rv = functions.C_FindObjects(session_.value, &found, 1, &count);
    check(functions.C_FindObjectsFinal(session_.value), "a search does not end");
    check(rv, "the objects cannot be listed");
    return count == 1 ? std::optional{found} : std::nullopt;
}

Bytes KeySession::on_card(CK_OBJECT_HANDLE certificate) const
{
    Bytes room(max_certificate);
    CK_ATTRIBUTE value{own_module_value_on_card, room.data(), room.size()};
    if (const auto rv =
            tokens_.functions().C_GetAttributeValue(session_.value, certificate, &value, 1);
        rv != CKR_OK)
        throw failed(rv);
    room.resize(std::min<std::size_t>(value.ulValueLen, room.size()));
    return room;
}

Error KeySession::failed(CK_RV rv) const
{
    CK_TOKEN_INFO about{};
    return failure(rv, tokens_.functions().C_GetTokenInfo(slot_, &about) == CKR_OK);
}

/// However the signature ends.
struct KeySession::Logout {
    KeySession& session;
    explicit Logout(KeySession& of) : session{of} {}
    ~Logout()
    {
        session.card_was_reset_ =
            session.tokens_.functions().C_Logout(session.session_.value) == CKR_OK;
    }
    Logout(const Logout&) = delete;
    Logout& operator=(const Logout&) = delete;
};

SignOutcome KeySession::sign(Pin pin, ByteView digest_info)
{
    auto& functions = tokens_.functions();
    // Cryptoki only reads from what it, for want of const, calls writable.
    auto* const typed =
        pin.empty() ? nullptr : const_cast<CK_UTF8CHAR_PTR>(std::as_const(pin).bytes().data());
    const auto rv = functions.C_Login(session_.value, CKU_USER, typed, pin.bytes().size());
    pin.clear();
    if (says_wrong_pin(rv)) {
        const auto tries = tokens_.state_in(certificate_.reader).tries_left;
        if (tries <= 0)
            throw pin_blocked();
        return WrongPin{tries};
    }
    if (rv != CKR_OK)
        throw failed(rv);
    const Logout at_the_end{*this};
    return sign_logged_in(digest_info);
}

Bytes KeySession::sign_logged_in(ByteView digest_info) const
{
    const auto key = object(CKO_PRIVATE_KEY);
    if (!key)
        throw Error{Errc::module_failed, "the certificate's key is not there"};
    auto& functions = tokens_.functions();
    CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
    if (const auto rv = functions.C_SignInit(session_.value, &mechanism, *key); rv != CKR_OK)
        throw failed(rv);
    auto message = copy_of(digest_info);
    Bytes signature(max_signature);
    CK_ULONG size = signature.size();
    if (const auto rv = functions.C_Sign(session_.value, message.data(), message.size(),
                                         signature.data(), &size);
        rv != CKR_OK)
        throw failed(rv);
    if (size == 0 || size > signature.size())
        throw Error{Errc::module_failed, "the module tells an absurd signature size"};
    signature.resize(size);
    return signature;
}

} // namespace cps::pkcs11
