#pragma once

#include "token.hpp"

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"
#include "cps/base/secret.hpp"
#include "cps/pkcs11_client/module.hpp"

#include <optional>

namespace cps::pkcs11 {

/// One certificate on the card in one reader, and the key beside it, in a session of our own.
/// For our module alone: pkcs11-helper, which knows the ways of the others, reads every token
/// for each question. Blocking, as Provider.
class KeySession {
public:
    /// Reads that certificate from the card in that reader; no other card is asked.
    /// @throws Error card_removed when the card there does not have it; module_failed.
    KeySession(Tokens& tokens, const Wanted& wanted);
    KeySession(const KeySession&) = delete;
    KeySession& operator=(const KeySession&) = delete;

    const TokenCertificate& certificate() const noexcept { return certificate_; }

    /// Makes the module read what it needs to check a signature. The card is not asked.
    void prepare() const;
    /// One login with `pin`, which is wiped whatever happens, one signature, one logout: once.
    /// @throws Error as Provider::sign.
    SignOutcome sign(Pin pin, ByteView digest_info);
    /// The logout has reset the card.
    bool card_was_reset() const noexcept { return card_was_reset_; }

private:
    struct Logout;
    /// Closed also where the constructor ends in the middle.
    struct Handle {
        explicit Handle(CK_FUNCTION_LIST& its_functions) : functions{its_functions} {}
        ~Handle();
        Handle(const Handle&) = delete;
        Handle& operator=(const Handle&) = delete;

        CK_FUNCTION_LIST& functions;
        CK_SESSION_HANDLE value = CK_INVALID_HANDLE;
    };
    /// The object of that class with the certificate's CKA_ID, if any.
    std::optional<CK_OBJECT_HANDLE> object(CK_OBJECT_CLASS of_class) const;
    Bytes on_card(CK_OBJECT_HANDLE certificate) const;
    Bytes sign_logged_in(ByteView digest_info) const;
    Error failed(CK_RV rv) const;

    Tokens& tokens_;
    TokenCertificate certificate_;
    CK_SLOT_ID slot_ = 0;
    CK_OBJECT_HANDLE object_ = CK_INVALID_HANDLE; ///< the certificate
    Handle session_;
    bool card_was_reset_ = false;
};

} // namespace cps::pkcs11
