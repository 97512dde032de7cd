#include "pki/rsa_key.hpp"

#include "pki/seed_stream.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <array>

namespace cps::pki {
namespace {

constexpr unsigned long public_exponent = 65537;
/// Steps of 2 from one random start; beyond it a new start is drawn. A 2048-bit prime is met
/// after some 710 odd numbers on average.
constexpr unsigned max_steps = 20'000;
constexpr unsigned max_starts = 100;

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;

BignumPtr number()
{
    return BignumPtr{must(BN_new())};
}

/// p is fit for RSA when it is prime and e has an inverse modulo p - 1.
bool is_fit(const BIGNUM* candidate, BN_CTX* context)
{
    if (BN_mod_word(candidate, public_exponent) == 1)
        return false;
    return BN_check_prime(candidate, context, nullptr) == 1;
}

BignumPtr prime(SeedStream& stream, unsigned bits, BN_CTX* context)
{
    for (unsigned start = 0; start != max_starts; ++start) {
        auto octets = stream.take(bits / 8);
        octets.front() |= 0xC0; // so that the product of two has all its bits
        octets.back() |= 0x01;
        BignumPtr candidate{
            must(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr))};
        for (unsigned step = 0; step != max_steps; ++step) {
            if (is_fit(candidate.get(), context))
                return candidate;
            must(BN_add_word(candidate.get(), 2));
        }
    }
    throw Error{Errc::internal, "no prime found"};
}

KeyPtr assemble(const BIGNUM* p, const BIGNUM* q, BN_CTX* context)
{
    const auto n = number(), e = number(), d = number(), phi = number(), p1 = number(),
               q1 = number(), dp = number(), dq = number(), qi = number();
    must(BN_mul(n.get(), p, q, context));
    must(BN_set_word(e.get(), public_exponent));
    must(BN_sub(p1.get(), p, BN_value_one()));
    must(BN_sub(q1.get(), q, BN_value_one()));
    must(BN_mul(phi.get(), p1.get(), q1.get(), context));
    must(BN_mod_inverse(d.get(), e.get(), phi.get(), context));
    must(BN_mod(dp.get(), d.get(), p1.get(), context));
    must(BN_mod(dq.get(), d.get(), q1.get(), context));
    must(BN_mod_inverse(qi.get(), q, p, context));

    const ParamBuilderPtr builder{must(OSSL_PARAM_BLD_new())};
    const std::array<std::pair<const char*, const BIGNUM*>, 8> parts{{
        {OSSL_PKEY_PARAM_RSA_N, n.get()},
        {OSSL_PKEY_PARAM_RSA_E, e.get()},
        {OSSL_PKEY_PARAM_RSA_D, d.get()},
        {OSSL_PKEY_PARAM_RSA_FACTOR1, p},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, q},
        {OSSL_PKEY_PARAM_RSA_EXPONENT1, dp.get()},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, dq.get()},
        {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, qi.get()},
    }};
    for (const auto& [name, value] : parts)
        must(OSSL_PARAM_BLD_push_BN(builder.get(), name, value));
    const ParamsPtr params{must(OSSL_PARAM_BLD_to_param(builder.get()))};

    const KeyContextPtr making{must(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr))};
    must(EVP_PKEY_fromdata_init(making.get()));
    EVP_PKEY* key = nullptr;
    must(EVP_PKEY_fromdata(making.get(), &key, EVP_PKEY_KEYPAIR, params.get()));
    return {key, FreeWith<EVP_PKEY_free>{}};
}

} // namespace

KeyPtr rsa_key(std::uint64_t seed, std::string_view name, unsigned bits)
{
    if (bits < 512 || bits % 16 != 0)
        throw Error{Errc::bad_argument, "RSA keys have a multiple of 16 bits, from 512"};
    const BnCtxPtr context{must(BN_CTX_secure_new())};
    SeedStream stream{seed, "rsa/" + std::to_string(bits) + "/" + std::string{name}};
    auto p = prime(stream, bits / 2, context.get());
    auto q = prime(stream, bits / 2, context.get());
    if (BN_cmp(p.get(), q.get()) < 0)
        std::swap(p, q);
    return assemble(p.get(), q.get(), context.get());
}

std::string private_key_pem(const KeyPtr& key)
{
    const BioPtr memory{must(BIO_new(BIO_s_mem()))};
    must(PEM_write_bio_PKCS8PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                       nullptr));
    char* text = nullptr;
    const auto size = must(BIO_get_mem_data(memory.get(), &text));
    return {text, static_cast<std::size_t>(size)};
}

KeyPtr private_key_from_pem(std::string_view pem)
{
    const BioPtr memory{must(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())))};
    EVP_PKEY* key = PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr);
    if (key == nullptr)
        throw Error{Errc::malformed_input, "not a private key in PEM"};
    return {key, FreeWith<EVP_PKEY_free>{}};
}

} // namespace cps::pki
