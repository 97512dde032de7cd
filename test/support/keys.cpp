#include "support/keys.hpp"

#include "cps/crypto/openssl.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <stdexcept>

namespace cps::test {
namespace {

using namespace crypto::ossl;

std::shared_ptr<EVP_PKEY> made(EVP_PKEY* raw)
{
    if (raw == nullptr)
        throw std::runtime_error{"OpenSSL cannot make this test key"};
    return std::shared_ptr<EVP_PKEY>{UniquePkey{raw}};
}

} // namespace

crypto::PrivateKey make_rsa(unsigned bits, unsigned exponent)
{
    const UniquePkeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
    const UniqueBignum e{BN_new()};
    EVP_PKEY* raw = nullptr;
    BN_set_word(e.get(), exponent);
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits));
    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e.get());
    EVP_PKEY_generate(context.get(), &raw);
    return crypto::PrivateKey{made(raw)};
}

crypto::PrivateKey make_ec(const char* group)
{
    return crypto::PrivateKey{made(EVP_EC_gen(group))};
}

crypto::PublicKey rsa_public(ByteView n, ByteView e)
{
    const UniqueBignum modulus{BN_bin2bn(n.data(), static_cast<int>(n.size()), nullptr)};
    const UniqueBignum exponent{BN_bin2bn(e.data(), static_cast<int>(e.size()), nullptr)};
    const std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>> builder{
        OSSL_PARAM_BLD_new()};
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
    const std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>> params{
        OSSL_PARAM_BLD_to_param(builder.get())};
    const UniquePkeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
    EVP_PKEY* raw = nullptr;
    EVP_PKEY_fromdata_init(context.get());
    EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, params.get());
    return crypto::PublicKey{made(raw)};
}

} // namespace cps::test
