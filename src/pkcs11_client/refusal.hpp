#pragma once

#include "cps/base/error.hpp"

#include <pkcs11-helper-1.0/pkcs11h-core.h>

namespace cps::pkcs11 {

/// @throws Error module_failed with the CK_RV unless it is CKR_OK.
void check(CK_RV rv, Literal what);

/// The module, not the card, may judge a PIN; both leave the person to type another one.
bool says_wrong_pin(CK_RV rv) noexcept;

Error pin_blocked() noexcept;
Error card_gone() noexcept;

/// What a failed call means. @param token_is_there whether the token can still be asked:
/// modules have many words for a card that is pulled; that it is gone says it best.
Error failure(CK_RV rv, bool token_is_there) noexcept;

} // namespace cps::pkcs11
