#include "refusal.hpp"

namespace cps::pkcs11 {
namespace {

bool says_card_gone(CK_RV rv) noexcept
{
    return rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_DEVICE_REMOVED ||
           rv == CKR_TOKEN_NOT_RECOGNIZED;
}

bool says_unsupported(CK_RV rv) noexcept
{
    return rv == CKR_FUNCTION_NOT_SUPPORTED || rv == CKR_USER_TYPE_INVALID ||
           rv == CKR_TOKEN_WRITE_PROTECTED;
}

} // namespace

void check(CK_RV rv, Literal what)
{
    if (rv != CKR_OK)
        throw Error{Errc::module_failed, what, static_cast<long>(rv)};
}

bool says_wrong_pin(CK_RV rv) noexcept
{
    return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE;
}

Error pin_blocked() noexcept
{
    return {Errc::pin_blocked, "the card's PIN is blocked", CKR_PIN_LOCKED};
}

Error card_gone() noexcept
{
    return {Errc::card_removed, "the certificate's card is gone"};
}

Error failure(CK_RV rv, bool token_is_there) noexcept
{
    const auto native = static_cast<long>(rv);
    if (rv == CKR_PIN_LOCKED)
        return pin_blocked();
    if (rv == CKR_FUNCTION_CANCELED)
        return {Errc::pin_cancelled, "cancelled on the reader", native};
    if (says_unsupported(rv))
        return {Errc::not_supported, "the module does not do that", native};
    if (says_card_gone(rv) || !token_is_there)
        return {Errc::card_removed, "the card was removed", native};
    return {Errc::module_failed, "the PKCS #11 module failed", native};
}

} // namespace cps::pkcs11
