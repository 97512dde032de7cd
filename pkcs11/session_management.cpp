// PKCS #11 v3.0, 5.6: session management.
#include "module.hpp"

using namespace cps;
using namespace cps::p11;

namespace {

void log_in(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG size)
{
    const SessionCall session{handle};
    auto& slot = session->slot;
    const std::scoped_lock lock{slot.mutex};
    const auto& token = slot.token();
    if (user == CKU_CONTEXT_SPECIFIC)
        throw Refusal{CKR_OPERATION_NOT_INITIALIZED}; // no key wants a PIN for each use
    if (user != CKU_USER && user != CKU_SO)
        throw Refusal{CKR_USER_TYPE_INVALID};
    const auto wanted = user == CKU_USER ? Login::user : Login::unblocking;
    if (slot.login() == wanted)
        throw Refusal{CKR_USER_ALREADY_LOGGED_IN};
    if (slot.login() != Login::none)
        throw Refusal{CKR_USER_ANOTHER_ALREADY_LOGGED_IN};
    if (!token.driver->has_pin())
        throw Refusal{CKR_USER_PIN_NOT_INITIALIZED};
    if (wanted == Login::unblocking) {
        const auto sessions = session.module().count_sessions(slot);
        if (sessions.all != sessions.read_write)
            throw Refusal{CKR_SESSION_READ_ONLY_EXISTS};
    }
    const bool at_pad = pin == nullptr;
    if (at_pad && !token.identity.pin_pad)
        throw Refusal{CKR_ARGUMENTS_BAD};
    const auto role = wanted == Login::user ? card::PinRole::user : card::PinRole::unblocking;
    const auto outcome =
        at_pad ? slot.log_in_at_pad(role) : slot.log_in(role, input(pin, size));
    switch (outcome.kind) {
    case card::PinOutcome::accepted: return;
    case card::PinOutcome::wrong: throw Refusal{CKR_PIN_INCORRECT};
    case card::PinOutcome::blocked: throw Refusal{CKR_PIN_LOCKED};
    }
}

} // namespace

P11_EXPORT CK_RV C_OpenSession(CK_SLOT_ID id, CK_FLAGS flags, void*, CK_NOTIFY,
                               CK_SESSION_HANDLE_PTR handle)
{
    return guarded([&] {
        const Call call;
        auto& slot = call->slot(id);
        auto& out = required(handle);
        if ((flags & CKF_SERIAL_SESSION) == 0)
            throw Refusal{CKR_SESSION_PARALLEL_NOT_SUPPORTED};
        call->refresh(false);
        const std::scoped_lock lock{slot.mutex};
        slot.token();
        const bool read_write = (flags & CKF_RW_SESSION) != 0;
        if (!read_write && slot.login() == Login::unblocking)
            throw Refusal{CKR_SESSION_READ_WRITE_SO_EXISTS};
        out = call->open_session(slot, read_write);
        slot.enter();
    });
}

P11_EXPORT CK_RV C_CloseSession(CK_SESSION_HANDLE handle)
{
    return guarded([&] {
        const Call call;
        call->close_session(handle);
    });
}

P11_EXPORT CK_RV C_CloseAllSessions(CK_SLOT_ID id)
{
    return guarded([&] {
        const Call call;
        call->close_all_sessions(call->slot(id));
    });
}

P11_EXPORT CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO_PTR info)
{
    return guarded([&] {
        const Call call;
        const auto session = call->session(handle);
        auto& out = required(info);
        const CK_FLAGS rights = session->read_write ? CKF_RW_SESSION : 0;
        out = {session->slot.id(), session->state(), CKF_SERIAL_SESSION | rights, 0};
    });
}

P11_EXPORT CK_RV C_SessionCancel(CK_SESSION_HANDLE handle, CK_FLAGS flags)
{
    return guarded([&] {
        const SessionCall session{handle};
        constexpr CK_FLAGS find_objects = 0x40; // CKF_FIND_OBJECTS
        if ((flags & CKF_SIGN) != 0)
            session->sign.reset();
        if ((flags & CKF_DECRYPT) != 0)
            session->decrypt.reset();
        if ((flags & CKF_DIGEST) != 0)
            session->digest.reset();
        if ((flags & find_objects) != 0)
            session->find.reset();
    });
}

P11_EXPORT CK_RV C_GetOperationState(CK_SESSION_HANDLE handle, CK_BYTE_PTR, CK_ULONG_PTR)
{
    return guarded([&] {
        const SessionCall session{handle};
        const bool active = session->sign || session->decrypt || session->digest;
        throw Refusal{active ? CKR_STATE_UNSAVEABLE : CKR_OPERATION_NOT_INITIALIZED};
    });
}

P11_EXPORT CK_RV C_SetOperationState(CK_SESSION_HANDLE handle, CK_BYTE_PTR, CK_ULONG,
                                     CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)
{
    return guarded([&] {
        const SessionCall session{handle};
        throw Refusal{CKR_SAVED_STATE_INVALID}; // none was ever saved
    });
}

P11_EXPORT CK_RV C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
                         CK_ULONG size)
{
    return guarded([&] { log_in(handle, user, pin, size); });
}

P11_EXPORT CK_RV C_LoginUser(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
                             CK_ULONG size, CK_UTF8CHAR_PTR, CK_ULONG name_size)
{
    return guarded([&] {
        if (name_size != 0)
            throw Refusal{CKR_ARGUMENTS_BAD}; // a card has one holder, who has no user name
        log_in(handle, user, pin, size);
    });
}

P11_EXPORT CK_RV C_Logout(CK_SESSION_HANDLE handle)
{
    return guarded([&] {
        const SessionCall session{handle};
        auto& slot = session->slot;
        const std::scoped_lock lock{slot.mutex};
        if (slot.login() == Login::none)
            throw Refusal{CKR_USER_NOT_LOGGED_IN};
        if (!slot.log_out())
            throw Refusal{CKR_FUNCTION_FAILED}; // logged out here, and perhaps not on the card
    });
}
