#include "pki/certificate.hpp"
#include "pki/rsa_key.hpp"
#include "pki/seed_stream.hpp"

#include "cps/base/encoding.hpp"

#include <doctest/doctest.h>

using namespace cps;

TEST_SUITE("pki")
{
    TEST_CASE("a seed stream depends on the seed and the name")
    {
        const auto one = pki::SeedStream{1, "a"}.take(100);

        CHECK(one == pki::SeedStream{1, "a"}.take(100));
        CHECK(one != pki::SeedStream{2, "a"}.take(100));
        CHECK(one != pki::SeedStream{1, "b"}.take(100));
    }

    TEST_CASE("a seed stream gives the same octets in pieces as at once")
    {
        pki::SeedStream pieces{1, "a"};
        auto first = pieces.take(33);
        const auto second = pieces.take(67);
        first.insert(first.end(), second.begin(), second.end());

        CHECK(first == pki::SeedStream{1, "a"}.take(100));
    }

    TEST_CASE("an RSA key is the same for ever, whatever made OpenSSL's random numbers")
    {
        const auto key = pki::rsa_key(1, "known answer", 512);

        CHECK(to_hex(pki::key_identifier(key)) == "ABF2B9682534F860FC009F73F84701CD4102F0D5");
    }

    TEST_CASE("an RSA key has the bits asked for, e = 65537 and parts that fit together")
    {
        const auto key = pki::rsa_key(1, "shape", 2048);
        const std::unique_ptr<EVP_PKEY_CTX, pki::FreeWith<EVP_PKEY_CTX_free>> checking{
            EVP_PKEY_CTX_new(key.get(), nullptr)};

        CHECK(EVP_PKEY_get_bits(key.get()) == 2048);
        CHECK(EVP_PKEY_check(checking.get()) == 1);
        BIGNUM* exponent = nullptr;
        REQUIRE(EVP_PKEY_get_bn_param(key.get(), "e", &exponent) == 1);
        CHECK(BN_is_word(exponent, 65537));
        BN_free(exponent);
    }

    TEST_CASE("a private key comes back from its PEM")
    {
        const auto key = pki::rsa_key(1, "pem", 512);

        const auto pem = pki::private_key_pem(key);

        CHECK(pem.starts_with("-----BEGIN PRIVATE KEY-----"));
        CHECK(EVP_PKEY_eq(pki::private_key_from_pem(pem).get(), key.get()) == 1);
        CHECK_THROWS_AS(pki::private_key_from_pem("nothing"), Error);
    }

    TEST_CASE("serial numbers are positive and have 16 octets")
    {
        for (std::uint64_t seed = 0; seed != 50; ++seed) {
            const auto serial = pki::serial_number(seed, "leaf");
            CHECK(serial.size() == 16);
            CHECK(serial[0] >= 0x40);
            CHECK(serial[0] < 0x80);
        }
    }
}
