// PKCS #11 v3.0, 5.10: decryption functions.
#include "module.hpp"

using namespace cps;
using namespace cps::p11;

namespace {

void add(DecryptOperation& operation, ByteView data)
{
    if (operation.collected.size() + data.size() > operation.size)
        throw Refusal{CKR_ENCRYPTED_DATA_LEN_RANGE};
    operation.collected.insert(operation.collected.end(), data.begin(), data.end());
}

/// The last step. @returns false when the caller only asks for the size. For one whose buffer
/// is too small the clear text waits, so that the card deciphers once.
bool decrypt(Slot& slot, DecryptOperation& operation, ByteView data, Output output)
{
    if (!operation.clear) {
        if (output.only_asks()) // an upper bound will do (5.2)
            return output.has_room_for(operation.size);
        add(operation, data);
        if (operation.collected.size() != operation.size)
            throw Refusal{CKR_ENCRYPTED_DATA_LEN_RANGE};
        const std::scoped_lock lock{slot.mutex};
        if (slot.login() != Login::user)
            throw Refusal{CKR_USER_NOT_LOGGED_IN};
        operation.clear = slot.decipher(operation.key, operation.collected);
        if (!operation.clear)
            throw Refusal{CKR_ENCRYPTED_DATA_INVALID};
    }
    output.put(*operation.clear);
    if (output.only_asks())
        return false;
    wipe(*operation.clear);
    return true;
}

} // namespace

P11_EXPORT CK_RV C_DecryptInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                               CK_OBJECT_HANDLE key)
{
    return guarded([&] {
        const SessionCall session{handle};
        if (ended_by(mechanism, session->decrypt))
            return;
        const auto& wanted = required(mechanism);
        if (session->decrypt)
            throw Refusal{CKR_OPERATION_ACTIVE};
        const std::scoped_lock lock{session->slot.mutex};
        const auto& object = session->object(key, CKR_KEY_HANDLE_INVALID);
        if (wanted.mechanism != CKM_RSA_PKCS)
            throw Refusal{CKR_MECHANISM_INVALID};
        if (wanted.ulParameterLen != 0)
            throw Refusal{CKR_MECHANISM_PARAM_INVALID};
        if (!object.key)
            throw Refusal{not_a_private_key(object)};
        const auto& private_key = session->slot.token().identity.contents.keys[*object.key];
        if (!private_key.may_decipher)
            throw Refusal{CKR_KEY_FUNCTION_NOT_PERMITTED};
        session->decrypt =
            DecryptOperation{*object.key, private_key.bits / 8, {}, Feeding::open, {}};
    });
}

P11_EXPORT CK_RV C_Decrypt(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG data_size,
                           CK_BYTE_PTR clear, CK_ULONG_PTR clear_size)
{
    return guarded([&] {
        const SessionCall session{handle};
        step(session->decrypt, Feeding::at_once, [&](DecryptOperation& operation) {
            return decrypt(session->slot, operation, input(data, data_size),
                           Output{clear, clear_size});
        });
    });
}

P11_EXPORT CK_RV C_DecryptUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG size,
                                 CK_BYTE_PTR, CK_ULONG_PTR clear_size)
{
    return guarded([&] {
        const SessionCall session{handle};
        step(session->decrypt, Feeding::in_parts, [&](DecryptOperation& operation) {
            const auto data = input(part, size);
            auto& out = required(clear_size);
            add(operation, data);
            out = 0; // all of it comes in the end
            return false;
        });
    });
}

P11_EXPORT CK_RV C_DecryptFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR clear,
                                CK_ULONG_PTR clear_size)
{
    return guarded([&] {
        const SessionCall session{handle};
        step(session->decrypt, Feeding::in_parts, [&](DecryptOperation& operation) {
            return decrypt(session->slot, operation, {}, Output{clear, clear_size});
        });
    });
}
