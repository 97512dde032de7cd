#include "signature.hpp"

#include <openssl/rsa.h>

#include <array>
#include <new>
#include <string_view>

namespace cps::crypto {
namespace {

constexpr int pss_salt_size = 32; // octets: that of SHA-256, as RFC 7518, 3.5 demands

bool on_p256(const EVP_PKEY* key) noexcept
{
    std::array<char, 32> name{}; // longer than any name that is looked for
    std::size_t size = 0;
    return EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 &&
           std::string_view{name.data(), size} == "prime256v1";
}

} // namespace

bool fits(SignatureAlgorithm algorithm, const EVP_PKEY* key) noexcept
{
    const ossl::ErrorMark mark;
    switch (algorithm) {
    case SignatureAlgorithm::rs256:
    case SignatureAlgorithm::ps256: return EVP_PKEY_is_a(key, "RSA") == 1;
    case SignatureAlgorithm::es256: break;
    }
    return EVP_PKEY_is_a(key, "EC") == 1 && on_p256(key);
}

bool configure(SignatureAlgorithm algorithm, EVP_PKEY_CTX* context) noexcept
{
    switch (algorithm) {
    case SignatureAlgorithm::rs256:
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    case SignatureAlgorithm::ps256:
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, pss_salt_size) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1;
    case SignatureAlgorithm::es256: break;
    }
    return true;
}

std::optional<Bytes> der_from_raw(ByteView raw)
{
    if (raw.size() != 2 * p256_size)
        return std::nullopt;
    const ossl::UniqueEcdsaSignature signature{ECDSA_SIG_new()};
    ossl::UniqueBignum r{BN_bin2bn(raw.data(), p256_size, nullptr)};
    ossl::UniqueBignum s{BN_bin2bn(raw.data() + p256_size, p256_size, nullptr)};
    if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1)
        throw std::bad_alloc{};
    r.release(); // the signature owns them now
    s.release();

    const auto size = i2d_ECDSA_SIG(signature.get(), nullptr);
    Bytes der(static_cast<std::size_t>(size > 0 ? size : 0));
    auto* out = der.data();
    if (size <= 0 || i2d_ECDSA_SIG(signature.get(), &out) != size)
        throw Error{Errc::internal, "OpenSSL cannot encode a signature"};
    return der;
}

Bytes raw_from_der(ByteView der)
{
    const auto* in = der.data();
    const ossl::UniqueEcdsaSignature signature{
        d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size()))};
    Bytes raw(2 * p256_size);
    if (!signature ||
        BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), p256_size) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + p256_size, p256_size) < 0)
        throw Error{Errc::internal, "OpenSSL made a signature that is none"};
    return raw;
}

} // namespace cps::crypto
