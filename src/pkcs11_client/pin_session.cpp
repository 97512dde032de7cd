#include "pin_session.hpp"

#include "refusal.hpp"
#include "token.hpp"

#include "cps/base/error.hpp"

#include <string_view>

namespace cps::pkcs11 {
namespace {

constexpr std::string_view opensc = "OpenSC Project";

/// Cryptoki only reads from what it, for want of const, calls writable.
CK_UTF8CHAR_PTR text(const Pin& pin)
{
    return pin.empty() ? nullptr : const_cast<CK_UTF8CHAR_PTR>(pin.bytes().data());
}

bool is_opensc(CK_FUNCTION_LIST& functions)
{
    CK_INFO info{};
    check(functions.C_GetInfo(&info), "the module does not say who made it");
    const std::string_view maker{reinterpret_cast<const char*>(info.manufacturerID),
                                 sizeof info.manufacturerID};
    return maker.starts_with(opensc);
}

} // namespace

/// OpenSC 0.23 on a CPS3: C_Login offers the PUK to the card, then C_InitPIN is not supported.
bool can_unblock(CK_FUNCTION_LIST& functions)
{
    return !is_opensc(functions);
}

/// OpenSC 0.23 on a CPS3: C_SetPIN without PINs fails before the reader asks (2026-11).
bool can_change_at_keypad(CK_FUNCTION_LIST& functions)
{
    return !is_opensc(functions);
}

PinSession::PinSession(CK_FUNCTION_LIST& functions, CK_SLOT_ID slot)
    : functions_{functions}, slot_{slot}
{
    check(functions.C_CloseAllSessions(slot), "the sessions cannot be closed");
    check(functions.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                  &session_),
          "no session to change a PIN in");
}

PinSession::~PinSession()
{
    functions_.C_Logout(session_);
    functions_.C_CloseSession(session_);
}

CK_RV PinSession::change(const Pin& old_pin, const Pin& new_pin) const
{
    return functions_.C_SetPIN(session_, text(old_pin), old_pin.bytes().size(), text(new_pin),
                               new_pin.bytes().size());
}

CK_RV PinSession::log_in(const Pin& puk) const
{
    return functions_.C_Login(session_, CKU_SO, text(puk), puk.bytes().size());
}

CK_RV PinSession::init(const Pin& new_pin) const
{
    return functions_.C_InitPIN(session_, text(new_pin), new_pin.bytes().size());
}

int PinSession::puk_tries_left() const
{
    CK_TOKEN_INFO info{};
    check(functions_.C_GetTokenInfo(slot_, &info), "the token does not tell its state");
    return pkcs11::puk_tries_left(info.flags);
}

} // namespace cps::pkcs11
