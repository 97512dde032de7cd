// PKCS #11 v3.0, 5.12: message digesting functions, which run on the host.
#include "module.hpp"

using namespace cps;
using namespace cps::p11;

namespace {

/// The last step. @returns false when the caller only asks for the size.
bool finish(DigestOperation& operation, ByteView data, Output output)
{
    if (!output.has_room_for(crypto::digest_size(operation.algorithm)))
        return false;
    operation.hasher.update(data);
    output.put(operation.hasher.finish());
    return true;
}

} // namespace

P11_EXPORT CK_RV C_DigestInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism)
{
    return guarded([&] {
        const SessionCall session{handle};
        if (ended_by(mechanism, session->digest))
            return;
        const auto& wanted = required(mechanism);
        if (session->digest)
            throw Refusal{CKR_OPERATION_ACTIVE};
        const auto* const known = find_mechanism(wanted.mechanism);
        if (known == nullptr || (known->flags & CKF_DIGEST) == 0)
            throw Refusal{CKR_MECHANISM_INVALID};
        if (wanted.ulParameterLen != 0)
            throw Refusal{CKR_MECHANISM_PARAM_INVALID};
        session->digest.emplace(
            DigestOperation{*known->digest, crypto::Hasher{*known->digest}, Feeding::open});
    });
}

P11_EXPORT CK_RV C_Digest(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG data_size,
                          CK_BYTE_PTR digest, CK_ULONG_PTR digest_size)
{
    return guarded([&] {
        const SessionCall session{handle};
        step(session->digest, Feeding::at_once, [&](DigestOperation& operation) {
            return finish(operation, input(data, data_size), Output{digest, digest_size});
        });
    });
}

P11_EXPORT CK_RV C_DigestUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG size)
{
    return guarded([&] {
        const SessionCall session{handle};
        step(session->digest, Feeding::in_parts, [&](DigestOperation& operation) {
            operation.hasher.update(input(part, size));
            return false;
        });
    });
}

P11_EXPORT CK_RV C_DigestKey(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE key)
{
    return guarded([&] {
        const SessionCall session{handle};
        step(session->digest, Feeding::in_parts, [&](DigestOperation&) -> bool {
            const std::scoped_lock lock{session->slot.mutex};
            session->object(key, CKR_KEY_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID);
            throw Refusal{CKR_KEY_INDIGESTIBLE}; // the card has no secret keys
        });
    });
}

P11_EXPORT CK_RV C_DigestFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR digest,
                               CK_ULONG_PTR digest_size)
{
    return guarded([&] {
        const SessionCall session{handle};
        step(session->digest, Feeding::in_parts, [&](DigestOperation& operation) {
            return finish(operation, {}, Output{digest, digest_size});
        });
    });
}
