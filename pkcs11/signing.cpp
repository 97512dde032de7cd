// PKCS #11 v3.0, 5.13: signing functions.
#include "module.hpp"
#include "unsupported.hpp"

#include <algorithm>

using namespace cps;
using namespace cps::p11;

namespace {

constexpr std::size_t max_collected = 512; // octets: more than any padding leaves room for

SignOperation begin(const Session& session, const CK_MECHANISM& wanted, CK_OBJECT_HANDLE handle)
{
    const auto& object = session.object(handle, CKR_KEY_HANDLE_INVALID);
    const auto& token = session.slot.token();
    const auto* const mechanism = find_mechanism(wanted.mechanism);
    const auto available = offered(*token.driver, token.identity.contents.keys);
    if (mechanism == nullptr || (mechanism->flags & CKF_SIGN) == 0 ||
        std::ranges::find(available, mechanism) == available.end())
        throw Refusal{CKR_MECHANISM_INVALID};
    if (!object.key)
        throw Refusal{not_a_private_key(object)};
    const auto& key = token.identity.contents.keys[*object.key];
    if (!signs_with(*token.driver, key, *mechanism))
        throw Refusal{CKR_KEY_FUNCTION_NOT_PERMITTED};

    SignOperation operation{*object.key, key.role,     key.bits / 8, mechanism,
                            {},          std::nullopt, {},           Feeding::open};
    if (mechanism->padding == Padding::pss)
        operation.digest = pss_digest(wanted);
    else if (wanted.ulParameterLen != 0)
        throw Refusal{CKR_MECHANISM_PARAM_INVALID};
    if (mechanism->digest) {
        if (mechanism->padding == Padding::pss && operation.digest != *mechanism->digest)
            throw Refusal{CKR_MECHANISM_PARAM_INVALID};
        operation.digest = *mechanism->digest;
        operation.hasher.emplace(operation.digest);
    }
    return operation;
}

void add(SignOperation& operation, ByteView data)
{
    if (operation.hasher) {
        operation.hasher->update(data);
        return;
    }
    if (operation.collected.size() + data.size() > max_collected)
        throw Refusal{CKR_DATA_LEN_RANGE};
    operation.collected.insert(operation.collected.end(), data.begin(), data.end());
}

struct Digest {
    crypto::DigestAlgorithm algorithm;
    ByteView value;
};

/// What is inside a DER DigestInfo, which is all that the signature key signs: of SHA-256, or
/// of SHA-1, which the card still takes and older callers still bring.
Digest digest_in(ByteView info)
{
    using enum crypto::DigestAlgorithm;
    for (const auto algorithm : {sha256, sha1}) {
        const auto size = crypto::digest_size(algorithm);
        if (info.size() > size &&
            std::ranges::equal(info, crypto::digest_info(algorithm, info.last(size))))
            return {algorithm, info.last(size)};
    }
    throw Refusal{CKR_DATA_INVALID};
}

Bytes finish(Slot& slot, SignOperation& operation)
{
    const auto digest = operation.digest;
    const auto value =
        operation.hasher ? operation.hasher->finish() : std::move(operation.collected);
    if (operation.mechanism->padding == Padding::pss) {
        if (value.size() != crypto::digest_size(digest))
            throw Refusal{CKR_DATA_LEN_RANGE};
        return slot.sign(operation.key, card::Scheme::pss_digest, digest, value);
    }
    if (operation.role == card::KeyRole::signature) {
        const auto [algorithm, bare] =
            operation.hasher ? Digest{digest, value} : digest_in(value);
        return slot.sign(operation.key, card::Scheme::pkcs1_digest, algorithm, bare);
    }
    if (value.empty())
        throw Refusal{CKR_DATA_LEN_RANGE};
    return slot.sign(operation.key, card::Scheme::pkcs1_t, digest,
                     operation.hasher ? crypto::digest_info(digest, value) : value);
}

/// The last step. @returns false when the caller only asks for the size.
bool sign(Slot& slot, SignOperation& operation, ByteView data, Output output)
{
    if (!output.has_room_for(operation.size))
        return false;
    add(operation, data);
    const std::scoped_lock lock{slot.mutex};
    if (slot.login() != Login::user)
        throw Refusal{CKR_USER_NOT_LOGGED_IN};
    output.put(finish(slot, operation));
    return true;
}

} // namespace

P11_EXPORT CK_RV C_SignInit(CK_SESSION_HANDLE handle, CK_MECHANISM_PTR mechanism,
                            CK_OBJECT_HANDLE key)
{
    return guarded([&] {
        const SessionCall session{handle};
        if (ended_by(mechanism, session->sign))
            return;
        const auto& wanted = required(mechanism);
        if (session->sign)
            throw Refusal{CKR_OPERATION_ACTIVE};
        const std::scoped_lock lock{session->slot.mutex};
        session->sign = begin(*session, wanted, key);
    });
}

P11_EXPORT CK_RV C_Sign(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG data_size,
                        CK_BYTE_PTR signature, CK_ULONG_PTR signature_size)
{
    return guarded([&] {
        const SessionCall session{handle};
        step(session->sign, Feeding::at_once, [&](SignOperation& operation) {
            return sign(session->slot, operation, input(data, data_size),
                        Output{signature, signature_size});
        });
    });
}

P11_EXPORT CK_RV C_SignUpdate(CK_SESSION_HANDLE handle, CK_BYTE_PTR part, CK_ULONG size)
{
    return guarded([&] {
        const SessionCall session{handle};
        step(session->sign, Feeding::in_parts, [&](SignOperation& operation) {
            add(operation, input(part, size));
            return false;
        });
    });
}

P11_EXPORT CK_RV C_SignFinal(CK_SESSION_HANDLE handle, CK_BYTE_PTR signature,
                             CK_ULONG_PTR signature_size)
{
    return guarded([&] {
        const SessionCall session{handle};
        step(session->sign, Feeding::in_parts, [&](SignOperation& operation) {
            return sign(session->slot, operation, {}, Output{signature, signature_size});
        });
    });
}

P11_EXPORT CK_RV C_SignRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR,
                                   CK_OBJECT_HANDLE)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_SignRecover(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,
                               CK_ULONG_PTR)
{
    return unsupported(session);
}
