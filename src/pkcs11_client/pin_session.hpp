#pragma once

#include "cps/base/secret.hpp"

#include <pkcs11-helper-1.0/pkcs11h-core.h>

namespace cps::pkcs11 {

/// False for modules that are known not to unblock a CPS card, which would use a try of the PUK
/// in vain.
bool can_unblock(CK_FUNCTION_LIST& functions);
/// False for modules that are known not to change a CPS card's PIN at a reader's keypad.
bool can_change_at_keypad(CK_FUNCTION_LIST& functions);

/// A read/write session of our own on one token, since pkcs11-helper has no words for a change
/// of PIN. Ends with a logout, which leaves the card unverified with our module. Empty PINs are
/// null pointers: the reader's keypad.
class PinSession {
public:
    /// Closes every other session: the PUK wants no read-only ones. pkcs11-helper's end, too,
    /// so this is the worker's last work. @throws Error module_failed with the CK_RV.
    PinSession(CK_FUNCTION_LIST& functions, CK_SLOT_ID slot);
    ~PinSession();
    PinSession(const PinSession&) = delete;
    PinSession& operator=(const PinSession&) = delete;

    /// C_SetPIN.
    CK_RV change(const Pin& old_pin, const Pin& new_pin) const;
    /// C_Login with the PUK, as CKU_SO.
    CK_RV log_in(const Pin& puk) const;
    /// C_InitPIN.
    CK_RV init(const Pin& new_pin) const;
    /// @throws Error module_failed with the CK_RV.
    int puk_tries_left() const;

private:
    CK_FUNCTION_LIST& functions_;
    const CK_SLOT_ID slot_;
    CK_SESSION_HANDLE session_ = 0;
};

} // namespace cps::pkcs11
