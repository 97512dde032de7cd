// PKCS #11 v3.0, 5.5: slot and token management.
#include "module.hpp"
#include "text.hpp"

#include <cstring>

using namespace cps;
using namespace cps::p11;

namespace {

/// The two-call rule for lists of numbers.
template <class T>
void put_list(const std::vector<T>& values, T* list, CK_ULONG* count)
{
    const auto room = required(count);
    *count = values.size();
    if (list == nullptr)
        return;
    if (room < values.size())
        throw Refusal{CKR_BUFFER_TOO_SMALL};
    std::copy(values.begin(), values.end(), list);
}

std::string_view model(pcsc::Family family)
{
    switch (family) {
    case pcsc::Family::cps3: return "CPS3 IAS ECC";
    case pcsc::Family::cps3_contactless: return "CPS3 contactless";
    case pcsc::Family::cps4: return "CPS4 ChipDoc";
    case pcsc::Family::unknown: break;
    }
    return "";
}

struct TryFlags {
    CK_FLAGS count_low;
    CK_FLAGS final_try;
    CK_FLAGS locked;
};
constexpr TryFlags of_pin{CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED};
constexpr TryFlags of_puk{CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED};

/// 3, 2, 1 and 0 tries are told by no flag, COUNT_LOW, FINAL_TRY and LOCKED.
CK_FLAGS try_flags(const card::PinStatus& status, const TryFlags& flags)
{
    constexpr int all_tries = 3;
    if (status.verified || status.tries_left >= all_tries)
        return 0;
    if (status.tries_left == 0)
        return flags.locked;
    return status.tries_left == 1 ? flags.count_low | flags.final_try : flags.count_low;
}

std::vector<const Mechanism*> mechanisms(Slot& slot)
{
    const auto& token = slot.token();
    return offered(*token.driver, token.identity.contents.keys);
}

/// A PIN that the caller brings. A null pointer would mean a PIN pad.
ByteView pin_input(CK_UTF8CHAR_PTR pin, CK_ULONG size)
{
    if (pin == nullptr)
        throw Refusal{CKR_ARGUMENTS_BAD};
    return input(pin, size);
}

void check_new_pin(ByteView pin, const card::PinFormat& format)
{
    if (pin.size() < format.min_size || pin.size() > format.max_size)
        throw Refusal{CKR_PIN_LEN_RANGE};
    if (!card::well_formed(pin, format))
        throw Refusal{CKR_PIN_INVALID};
}

} // namespace

P11_EXPORT CK_RV C_GetSlotList(CK_BBOOL with_token, CK_SLOT_ID_PTR list, CK_ULONG_PTR count)
{
    return guarded([&] {
        const Call call;
        required(count);
        call->refresh(list == nullptr);
        put_list(call->slots(with_token != CK_FALSE), list, count);
    });
}

P11_EXPORT CK_RV C_GetSlotInfo(CK_SLOT_ID id, CK_SLOT_INFO_PTR info)
{
    return guarded([&] {
        const Call call;
        auto& out = required(info);
        const auto& slot = call->slot(id);
        call->refresh(false);
        out = {};
        fill(out.slotDescription, slot.reader());
        fill(out.manufacturerID, "");
        out.flags = CKF_REMOVABLE_DEVICE | CKF_HW_SLOT;
        if (slot.present())
            out.flags |= CKF_TOKEN_PRESENT;
    });
}

P11_EXPORT CK_RV C_GetTokenInfo(CK_SLOT_ID id, CK_TOKEN_INFO_PTR info)
{
    return guarded([&] {
        const Call call;
        auto& out = required(info);
        auto& slot = call->slot(id);
        call->refresh(false);
        const std::scoped_lock lock{slot.mutex};
        const auto& token = slot.token();
        const auto& contents = token.identity.contents;
        out = {};
        fill(out.label, contents.token.label);
        fill(out.manufacturerID, contents.token.manufacturer);
        fill(out.model, model(token.identity.family));
        fill(out.serialNumber, token.identity.serial);
        out.flags = CKF_RNG | CKF_TOKEN_INITIALIZED | CKF_WRITE_PROTECTED;
        if (token.driver->has_pin()) {
            out.flags |= CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED;
            out.flags |= try_flags(slot.pin_status(), of_pin);
            if (token.identity.pin_pad)
                out.flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
            out.ulMaxPinLen = contents.pin.max_size;
            out.ulMinPinLen = contents.pin.min_size;
        }
        const auto sessions = call->count_sessions(slot);
        // The PUK wants a read/write session: who has none is spared the command to the card.
        if (token.driver->has_pin() && sessions.read_write != 0 && slot.login() == Login::none)
            out.flags |= try_flags(slot.puk_status(), of_puk);
        out.ulSessionCount = sessions.all;
        out.ulRwSessionCount = sessions.read_write;
        out.ulMaxSessionCount = out.ulMaxRwSessionCount = max_sessions;
        out.ulTotalPublicMemory = out.ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
        out.ulTotalPrivateMemory = out.ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
        fill(out.utcTime, "");
    });
}

P11_EXPORT CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR slot, void* reserved)
{
    return guarded([&] {
        const Call call;
        auto& out = required(slot);
        if (reserved != nullptr)
            throw Refusal{CKR_ARGUMENTS_BAD};
        out = call->wait_for_event((flags & CKF_DONT_BLOCK) == 0);
    });
}

P11_EXPORT CK_RV C_GetMechanismList(CK_SLOT_ID id, CK_MECHANISM_TYPE_PTR list,
                                    CK_ULONG_PTR count)
{
    return guarded([&] {
        const Call call;
        auto& slot = call->slot(id);
        required(count);
        call->refresh(false);
        const std::scoped_lock lock{slot.mutex};
        std::vector<CK_MECHANISM_TYPE> types;
        for (const auto* mechanism : mechanisms(slot))
            types.push_back(mechanism->type);
        put_list(types, list, count);
    });
}

P11_EXPORT CK_RV C_GetMechanismInfo(CK_SLOT_ID id, CK_MECHANISM_TYPE type,
                                    CK_MECHANISM_INFO_PTR info)
{
    return guarded([&] {
        const Call call;
        auto& slot = call->slot(id);
        auto& out = required(info);
        call->refresh(false);
        const std::scoped_lock lock{slot.mutex};
        for (const auto* mechanism : mechanisms(slot))
            if (mechanism->type == type) {
                constexpr CK_ULONG bits = 2048; // RSA, the only size of these cards
                const bool of_keys = mechanism->padding != Padding::none;
                out = {of_keys ? bits : 0, of_keys ? bits : 0, mechanism->flags};
                return;
            }
        throw Refusal{CKR_MECHANISM_INVALID};
    });
}

P11_EXPORT CK_RV C_InitToken(CK_SLOT_ID id, CK_UTF8CHAR_PTR pin, CK_ULONG size,
                             CK_UTF8CHAR_PTR label)
{
    return guarded([&] {
        const Call call;
        auto& slot = call->slot(id);
        input(pin, size);
        required(label);
        call->refresh(false);
        if (call->count_sessions(slot).all != 0)
            throw Refusal{CKR_SESSION_EXISTS};
        const std::scoped_lock lock{slot.mutex};
        slot.token();
        throw Refusal{CKR_TOKEN_WRITE_PROTECTED}; // its issuer initialised it
    });
}

P11_EXPORT CK_RV C_InitPIN(CK_SESSION_HANDLE handle, CK_UTF8CHAR_PTR pin, CK_ULONG size)
{
    return guarded([&] {
        const SessionCall session{handle};
        auto& slot = session->slot;
        const std::scoped_lock lock{slot.mutex};
        if (slot.login() != Login::unblocking)
            throw Refusal{CKR_USER_NOT_LOGGED_IN};
        const auto new_pin = pin_input(pin, size);
        check_new_pin(new_pin, slot.token().identity.contents.pin);
        slot.unblock(new_pin);
    });
}

P11_EXPORT CK_RV C_SetPIN(CK_SESSION_HANDLE handle, CK_UTF8CHAR_PTR old_pin, CK_ULONG old_size,
                          CK_UTF8CHAR_PTR new_pin, CK_ULONG new_size)
{
    return guarded([&] {
        const SessionCall session{handle};
        auto& slot = session->slot;
        const std::scoped_lock lock{slot.mutex};
        if (!session->read_write)
            throw Refusal{CKR_SESSION_READ_ONLY};
        const auto& token = slot.token();
        if (slot.login() == Login::unblocking || !token.driver->has_pin())
            throw Refusal{CKR_FUNCTION_NOT_SUPPORTED}; // the PUK is the issuer's
        const auto change = [&] {
            if (old_pin == nullptr && new_pin == nullptr && token.identity.pin_pad)
                return slot.change_pin_at_pad();
            const auto before = pin_input(old_pin, old_size);
            const auto after = pin_input(new_pin, new_size);
            check_new_pin(after, token.identity.contents.pin);
            return slot.change_pin(before, after);
        };
        switch (change().kind) {
        case card::PinOutcome::accepted: return;
        case card::PinOutcome::wrong: throw Refusal{CKR_PIN_INCORRECT};
        case card::PinOutcome::blocked: throw Refusal{CKR_PIN_LOCKED};
        }
    });
}
