#include "cps/crypto/public_key.hpp"

#include "cps/crypto/openssl.hpp"
#include "cps/crypto/prepared_key.hpp"
#include "signature.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <string>

namespace cps::crypto {
namespace {

constexpr std::size_t max_spki_size = 4096; // octets; that of RSA 16384 has about 2,100

std::shared_ptr<EVP_PKEY> share(ossl::UniquePkey key)
{
    return std::shared_ptr<EVP_PKEY>{std::move(key)};
}

} // namespace

Result<PublicKey> PublicKey::from_spki(ByteView spki)
{
    if (spki.size() > max_spki_size)
        return Error{Errc::malformed_input, "public key is too large"};
    const ossl::ErrorMark mark;
    const auto* in = spki.data();
    ossl::UniquePkey key{d2i_PUBKEY(nullptr, &in, static_cast<long>(spki.size()))};
    if (!key || in != spki.data() + spki.size())
        return Error{Errc::malformed_input, "not a SubjectPublicKeyInfo"};
    return PublicKey{share(std::move(key))};
}

Result<PublicKey> PublicKey::from_p256(ByteView x, ByteView y)
{
    if (x.size() != p256_size || y.size() != p256_size)
        return Error{Errc::malformed_input, "a P-256 coordinate has 32 octets"};
    std::array<std::uint8_t, 1 + 2 * p256_size> point{0x04}; // uncompressed (SEC 1, 2.3.3)
    std::ranges::copy(x, point.begin() + 1);
    std::ranges::copy(y, point.begin() + 1 + p256_size);

    const ossl::ErrorMark mark;
    std::string group = "prime256v1";
    std::array params{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end(),
    };
    const ossl::UniquePkeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
    EVP_PKEY* raw = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1)
        return Error{Errc::internal, "OpenSSL has no EC keys"};
    if (EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, params.data()) != 1)
        return Error{Errc::malformed_input, "not a point of P-256"};
    return PublicKey{share(ossl::UniquePkey{raw})};
}

bool PublicKey::is_rsa() const noexcept
{
    return fits(SignatureAlgorithm::rs256, key_.get());
}

bool PublicKey::is_p256() const noexcept
{
    return fits(SignatureAlgorithm::es256, key_.get());
}

unsigned PublicKey::bits() const noexcept
{
    const auto bits = EVP_PKEY_get_bits(key_.get());
    return bits > 0 ? static_cast<unsigned>(bits) : 0;
}

std::optional<std::uint64_t> PublicKey::rsa_exponent() const
{
    if (!is_rsa())
        return std::nullopt;
    const ossl::ErrorMark mark;
    BIGNUM* raw = nullptr;
    const auto got = EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_RSA_E, &raw);
    const ossl::UniqueBignum exponent{raw};
    std::array<std::uint8_t, sizeof(std::uint64_t)> octets{};
    if (got != 1 || BN_bn2binpad(raw, octets.data(), octets.size()) < 0)
        return std::nullopt;
    std::uint64_t value = 0;
    for (const auto octet : octets)
        value = value << 8 | octet;
    return value;
}

bool PublicKey::verify(SignatureAlgorithm algorithm, ByteView data, ByteView signature) const
{
    return fits(algorithm, key_.get()) && PreparedKey{*this, algorithm}.verify(data, signature);
}

Bytes PublicKey::p256_point() const
{
    if (!is_p256())
        throw Error{Errc::bad_argument, "the key is not on P-256"};
    const ossl::ErrorMark mark;
    Bytes point(2 * p256_size);
    auto* out = point.data();
    for (const auto* const name : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
        BIGNUM* raw = nullptr;
        const auto got = EVP_PKEY_get_bn_param(key_.get(), name, &raw);
        const ossl::UniqueBignum coordinate{raw};
        if (got != 1 || BN_bn2binpad(raw, out, p256_size) < 0)
            throw Error{Errc::internal, "OpenSSL does not tell a point's coordinates"};
        out += p256_size;
    }
    return point;
}

Bytes PublicKey::spki() const
{
    const auto size = i2d_PUBKEY(key_.get(), nullptr);
    Bytes der(static_cast<std::size_t>(size > 0 ? size : 0));
    auto* out = der.data();
    if (size <= 0 || i2d_PUBKEY(key_.get(), &out) != size)
        throw Error{Errc::internal, "OpenSSL cannot encode a public key"};
    return der;
}

} // namespace cps::crypto
