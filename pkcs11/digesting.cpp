// PKCS #11 v3.0, 5.12: message digesting functions, which run on the host.
#include "module.hpp"

using namespace cps;
using namespace cps::p11;

namespace {

DigestOperation& active(const SessionCall& session)
{
    if (!session->digest)
        throw Refusal{CKR_OPERATION_NOT_INITIALIZED};
    return *session->digest;
}

void finish(const SessionCall& session, Output output)
{
    if (!output.has_room_for(crypto::digest_size(session->digest->algorithm)))
        return;
    output.put(session->digest->hasher.finish());
    session->digest.reset();
}

} // namespace

P11_EXPORT CK_RV C_DigestInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism)
{
    return guarded([&] {
        const SessionCall session{handle};
        const auto& wanted = required(mechanism);
        if (session->digest)
            throw Refusal{CKR_OPERATION_ACTIVE};
        const auto* const known = find_mechanism(wanted.mechanism);
        if (known == nullptr || (known->flags & CKF_DIGEST) == 0)
            throw Refusal{CKR_MECHANISM_INVALID};
        if (wanted.ulParameterLen != 0)
            throw Refusal{CKR_MECHANISM_PARAM_INVALID};
        session->digest.emplace(
            DigestOperation{*known->digest, crypto::Hasher{*known->digest}, false});
    });
}

P11_EXPORT CK_RV C_Digest(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG data_size,
                          CK_BYTE_PTR digest, CK_ULONG_PTR digest_size)
{
    return guarded([&] {
        const SessionCall session{handle};
        auto& operation = active(session);
        if (operation.in_parts)
            throw Refusal{CKR_OPERATION_ACTIVE};
        const auto message = input(data, data_size);
        Output output{digest, digest_size};
        if (!output.has_room_for(crypto::digest_size(operation.algorithm)))
            return;
        operation.hasher.update(message);
        finish(session, output);
    });
}

P11_EXPORT CK_RV C_DigestUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG size)
{
    return guarded([&] {
        const SessionCall session{handle};
        auto& operation = active(session);
        operation.in_parts = true;
        operation.hasher.update(input(part, size));
    });
}

P11_EXPORT CK_RV C_DigestKey(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE)
{
    return guarded([&] {
        const SessionCall session{handle};
        active(session);
        throw Refusal{CKR_KEY_INDIGESTIBLE};
    });
}

P11_EXPORT CK_RV C_DigestFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR digest,
                               CK_ULONG_PTR digest_size)
{
    return guarded([&] {
        const SessionCall session{handle};
        active(session);
        finish(session, Output{digest, digest_size});
    });
}
