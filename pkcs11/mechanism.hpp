#pragma once

#include "cryptoki.hpp"

#include "cps/card/card.hpp"

#include <optional>
#include <vector>

namespace cps::p11 {

enum class Padding { none, pkcs1, pss };

/// One mechanism that we offer. `digest` is what the module computes before signing; without
/// it the caller brings the DigestInfo (PKCS #1) or the digest (PSS).
struct Mechanism {
    CK_MECHANISM_TYPE type;
    CK_FLAGS flags;
    Padding padding;
    std::optional<crypto::DigestAlgorithm> digest;
};

/// Null for what we know nothing of.
const Mechanism* find_mechanism(CK_MECHANISM_TYPE type) noexcept;

/// Those that at least one of `keys` does on this card, and the digests.
std::vector<const Mechanism*> offered(const card::Card& driver,
                                      const std::vector<card::PrivateKey>& keys);

/// Whether `key` signs by it on this card.
bool signs_with(const card::Card& driver, const card::PrivateKey& key,
                const Mechanism& mechanism) noexcept;

/// The digest that CK_RSA_PKCS_PSS_PARAMS names; MGF1 and salt must be of the same.
/// @throws Refusal MECHANISM_PARAM_INVALID.
crypto::DigestAlgorithm pss_digest(const CK_MECHANISM& mechanism);

} // namespace cps::p11
