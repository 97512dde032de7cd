#include "signature.hpp"

#include <openssl/rsa.h>

#include <array>
#include <string_view>

namespace cps::crypto {
namespace {

constexpr std::size_t max_der_signature = 72; // octets: SEQUENCE of two INTEGERs of 33
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

Bytes der_from_raw(ByteView raw)
{
    Bytes der{0x30, 0x00}; // SEQUENCE; at most 70 octets follow
    der.reserve(max_der_signature);
    for (auto number : {raw.first(p256_size), raw.subspan(p256_size)}) {
        while (number.size() > 1 && number[0] == 0)
            number = number.subspan(1);
        const bool sign = (number[0] & 0x80) != 0; // it would be negative
        der.push_back(0x02);
        der.push_back(static_cast<std::uint8_t>(number.size() + (sign ? 1 : 0)));
        if (sign)
            der.push_back(0x00);
        der.insert(der.end(), number.begin(), number.end());
    }
    der[1] = static_cast<std::uint8_t>(der.size() - 2);
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
