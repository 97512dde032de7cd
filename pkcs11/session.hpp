#pragma once

#include "mechanism.hpp"
#include "operation.hpp"
#include "slot.hpp"

#include "cps/crypto/hasher.hpp"

#include <mutex>
#include <optional>
#include <vector>

namespace cps::p11 {

/// C_SignInit has been called.
struct SignOperation {
    std::size_t key;
    card::KeyRole role;
    CK_ULONG size; ///< of the signature, octets
    const Mechanism* mechanism;
    crypto::DigestAlgorithm digest;       ///< the mechanism's, or PSS's parameter
    std::optional<crypto::Hasher> hasher; ///< where the module computes the digest
    Bytes collected;                      ///< where it does not
    Feeding feeding = Feeding::open;
};

struct DecryptOperation {
    std::size_t key;
    CK_ULONG size; ///< of the modulus, octets
    Bytes collected;
    Feeding feeding = Feeding::open;
    std::optional<Bytes> clear; ///< deciphered; waits for a buffer that is large enough
};

struct DigestOperation {
    crypto::DigestAlgorithm algorithm;
    crypto::Hasher hasher;
    Feeding feeding = Feeding::open;
};

struct FindOperation {
    std::vector<CK_OBJECT_HANDLE> found;
    std::size_t given = 0;
};

/// One session. `mutex` is held for the length of a call; it is taken before the slot's.
struct Session {
    Session(CK_SESSION_HANDLE its_handle, Slot& its_slot, bool may_write)
        : handle{its_handle}, slot{its_slot}, epoch{its_slot.epoch()}, read_write{may_write}
    {
    }

    CK_SESSION_HANDLE handle;
    Slot& slot; ///< the module's, which keeps its slots to the end
    unsigned epoch;
    bool read_write;

    std::mutex mutex;
    std::optional<SignOperation> sign;
    std::optional<DecryptOperation> decrypt;
    std::optional<DigestOperation> digest;
    std::optional<FindOperation> find;

    CK_STATE state() const noexcept;
    /// The object, visible in this session's state. Slot's mutex held.
    /// @throws Refusal with `otherwise`; with `unseen` for a private one before login.
    Object& object(CK_OBJECT_HANDLE handle, CK_RV otherwise,
                   CK_RV unseen = CKR_USER_NOT_LOGGED_IN) const;
};

} // namespace cps::p11
