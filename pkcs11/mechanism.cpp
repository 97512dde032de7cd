#include "mechanism.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace cps::p11 {
namespace {

using crypto::DigestAlgorithm;

constexpr CK_FLAGS card_signs = CKF_HW | CKF_SIGN;

// To offer a mechanism: one row.
// clang-format off
constexpr std::array mechanisms{
    Mechanism{CKM_RSA_PKCS,            card_signs | CKF_DECRYPT, Padding::pkcs1, {}},
    Mechanism{CKM_SHA1_RSA_PKCS,       card_signs, Padding::pkcs1, DigestAlgorithm::sha1},
    Mechanism{CKM_SHA224_RSA_PKCS,     card_signs, Padding::pkcs1, DigestAlgorithm::sha224},
    Mechanism{CKM_SHA256_RSA_PKCS,     card_signs, Padding::pkcs1, DigestAlgorithm::sha256},
    Mechanism{CKM_SHA384_RSA_PKCS,     card_signs, Padding::pkcs1, DigestAlgorithm::sha384},
    Mechanism{CKM_SHA512_RSA_PKCS,     card_signs, Padding::pkcs1, DigestAlgorithm::sha512},
    Mechanism{CKM_RSA_PKCS_PSS,        card_signs, Padding::pss,   {}},
    Mechanism{CKM_SHA256_RSA_PKCS_PSS, card_signs, Padding::pss,   DigestAlgorithm::sha256},
    Mechanism{CKM_SHA_1,               CKF_DIGEST, Padding::none,  DigestAlgorithm::sha1},
    Mechanism{CKM_SHA224,              CKF_DIGEST, Padding::none,  DigestAlgorithm::sha224},
    Mechanism{CKM_SHA256,              CKF_DIGEST, Padding::none,  DigestAlgorithm::sha256},
    Mechanism{CKM_SHA384,              CKF_DIGEST, Padding::none,  DigestAlgorithm::sha384},
    Mechanism{CKM_SHA512,              CKF_DIGEST, Padding::none,  DigestAlgorithm::sha512},
};
// clang-format on

struct PssHash {
    DigestAlgorithm digest;
    CK_MECHANISM_TYPE hash;
    CK_RSA_PKCS_MGF_TYPE mgf;
};
constexpr std::array pss_hashes{
    PssHash{DigestAlgorithm::sha1, CKM_SHA_1, CKG_MGF1_SHA1},
    PssHash{DigestAlgorithm::sha256, CKM_SHA256, CKG_MGF1_SHA256},
};

} // namespace

const Mechanism* find_mechanism(CK_MECHANISM_TYPE type) noexcept
{
    const auto* const found = std::ranges::find(mechanisms, type, &Mechanism::type);
    return found == mechanisms.end() ? nullptr : &*found;
}

bool signs_with(const card::Card& driver, const card::PrivateKey& key,
                const Mechanism& mechanism) noexcept
{
    using card::Scheme;
    const auto digest = mechanism.digest.value_or(DigestAlgorithm::sha256);
    switch (mechanism.padding) {
    case Padding::none: return false;
    case Padding::pss: return driver.can_sign(key, Scheme::pss_digest, digest);
    case Padding::pkcs1: break;
    }
    if (key.role == card::KeyRole::signature) // what it signs binds its holder: SHA-256 alone
        return digest == DigestAlgorithm::sha256 &&
               driver.can_sign(key, Scheme::pkcs1_digest, digest);
    return driver.can_sign(key, Scheme::pkcs1_t, digest);
}

std::vector<const Mechanism*> offered(const card::Card& driver,
                                      const std::vector<card::PrivateKey>& keys)
{
    std::vector<const Mechanism*> found;
    for (const auto& mechanism : mechanisms)
        if (mechanism.padding == Padding::none ||
            std::ranges::any_of(
                keys, [&](const auto& key) { return signs_with(driver, key, mechanism); }))
            found.push_back(&mechanism);
    return found;
}

DigestAlgorithm pss_digest(const CK_MECHANISM& mechanism)
{
    CK_RSA_PKCS_PSS_PARAMS parameters;
    if (mechanism.pParameter == nullptr || mechanism.ulParameterLen != sizeof parameters)
        throw Refusal{CKR_MECHANISM_PARAM_INVALID};
    std::memcpy(&parameters, mechanism.pParameter, sizeof parameters);
    const auto* const row = std::ranges::find(pss_hashes, parameters.hashAlg, &PssHash::hash);
    if (row == pss_hashes.end() || row->mgf != parameters.mgf ||
        parameters.sLen != crypto::digest_size(row->digest))
        throw Refusal{CKR_MECHANISM_PARAM_INVALID};
    return row->digest;
}

} // namespace cps::p11
