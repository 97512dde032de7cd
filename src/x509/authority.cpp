#include "authority.hpp"

#include "cps/crypto/openssl.hpp"

#include <openssl/x509v3.h>

#include <algorithm>

namespace cps::x509 {
namespace {

namespace ossl = crypto::ossl;
using UniqueAlgorithm = std::unique_ptr<X509_ALGOR, ossl::Deleter<X509_ALGOR_free>>;

constexpr unsigned min_rsa = 2048;  // bits
constexpr unsigned max_rsa = 8192;  // bits; IGC-Santé's authorities have 4096
constexpr unsigned min_curve = 256; // bits
constexpr unsigned max_curve = 640; // bits; P-521 is the largest in use

} // namespace

std::optional<Serial> serial_of(ByteView integer) noexcept
{
    if (integer.empty() || (integer[0] & 0x80) != 0)
        return std::nullopt;
    while (!integer.empty() && integer[0] == 0)
        integer = integer.subspan(1);
    Serial serial{};
    if (integer.size() > serial.size())
        return std::nullopt;
    std::ranges::copy_backward(integer, serial.end());
    return serial;
}

std::optional<Serial> serial_of(const Certificate& certificate) noexcept
{
    const auto* number = X509_get0_serialNumber(certificate.native());
    const auto size = ASN1_STRING_length(number);
    Serial serial{};
    if (ASN1_STRING_type(number) != V_ASN1_INTEGER || size < 0 ||
        static_cast<std::size_t>(size) > serial.size())
        return std::nullopt;
    // OpenSSL keeps the magnitude alone.
    const ByteView magnitude{ASN1_STRING_get0_data(number), static_cast<std::size_t>(size)};
    std::ranges::copy_backward(magnitude, serial.end());
    return serial;
}

bool is_strong_signature(int nid) noexcept
{
    switch (nid) {
    case NID_sha256WithRSAEncryption:
    case NID_sha384WithRSAEncryption:
    case NID_sha512WithRSAEncryption:
    case NID_ecdsa_with_SHA256:
    case NID_ecdsa_with_SHA384:
    case NID_ecdsa_with_SHA512: return true;
    default: return false;
    }
}

bool is_strong_key(const crypto::PublicKey& key) noexcept
{
    const auto bits = key.bits();
    if (key.is_rsa())
        return bits >= min_rsa && bits <= max_rsa;
    return EVP_PKEY_get_base_id(key.native()) == EVP_PKEY_EC && bits >= min_curve &&
           bits <= max_curve;
}

bool issued(const Certificate& issuer, const Certificate& certificate)
{
    const ossl::ErrorMark mark;
    const auto key = issuer.key();
    return key &&
           X509_NAME_cmp(X509_get_issuer_name(certificate.native()),
                         X509_get_subject_name(issuer.native())) == 0 &&
           X509_verify(certificate.native(), key->native()) == 1;
}

bool is_same_authority(const Certificate& one, const Certificate& other)
{
    const ossl::ErrorMark mark;
    const auto key = one.key();
    const auto others = other.key();
    return X509_NAME_cmp(X509_get_subject_name(one.native()),
                         X509_get_subject_name(other.native())) == 0 &&
           key && others && EVP_PKEY_eq(key->native(), others->native()) == 1;
}

bool has_signed(const Certificate& authority, ByteView data, ByteView algorithm,
                ByteView signature)
{
    const ossl::ErrorMark mark;
    const auto* in = algorithm.data();
    const UniqueAlgorithm parsed{
        d2i_X509_ALGOR(nullptr, &in, static_cast<long>(algorithm.size()))};
    const auto key = authority.key();
    if (!parsed || in != algorithm.data() + algorithm.size() || !key || !is_strong_key(*key))
        return false;

    const auto nid = OBJ_obj2nid(parsed->algorithm);
    int digest = NID_undef;
    int kind = NID_undef;
    if (!is_strong_signature(nid) || OBJ_find_sigid_algs(nid, &digest, &kind) != 1 ||
        kind != EVP_PKEY_get_base_id(key->native()))
        return false;
    const ossl::UniqueDigestContext context{EVP_MD_CTX_new()};
    if (!context)
        throw std::bad_alloc{};
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_get_digestbynid(digest), nullptr,
                                key->native()) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(),
                            data.size()) == 1;
}

RevocationReason reason_of(long code) noexcept
{
    return code < 0 || code > 10 || code == 7 ? RevocationReason::unspecified
                                              : static_cast<RevocationReason>(code);
}

} // namespace cps::x509
