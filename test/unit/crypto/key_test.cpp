#include "cps/base/encoding.hpp"
#include "cps/crypto/openssl.hpp"
#include "cps/crypto/private_key.hpp"
#include "support/keys.hpp"
#include "support/vector_file.hpp"

#include <doctest/doctest.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

using namespace cps;
using crypto::PrivateKey;
using crypto::PublicKey;
using crypto::SignatureAlgorithm;

namespace {

test::Vector jws(const std::string& alg)
{
    for (auto& vector : test::read_vectors("crypto/jws.txt"))
        if (vector.text("alg") == alg)
            return vector;
    throw std::runtime_error{"no vector for " + alg};
}

Bytes pkcs8(const PrivateKey& key)
{
    const std::unique_ptr<PKCS8_PRIV_KEY_INFO, crypto::ossl::Deleter<PKCS8_PRIV_KEY_INFO_free>>
        info{EVP_PKEY2PKCS8(key.native())};
    Bytes der(static_cast<std::size_t>(i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr)));
    auto* out = der.data();
    i2d_PKCS8_PRIV_KEY_INFO(info.get(), &out);
    return der;
}

std::string pem(const PrivateKey& key, const char* password)
{
    const crypto::ossl::UniqueBio out{BIO_new(BIO_s_mem())};
    PEM_write_bio_PKCS8PrivateKey(out.get(), key.native(),
                                  password != nullptr ? EVP_aes_128_cbc() : nullptr, password,
                                  password != nullptr ? 4 : 0, nullptr, nullptr);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

/// RSASSA-PSS with a salt of our choice, which PrivateKey does not offer.
Bytes sign_pss(const PrivateKey& key, ByteView data, int salt)
{
    const crypto::ossl::UniqueDigestContext context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* parameters = nullptr;
    Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.native())));
    auto size = signature.size();
    EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, key.native());
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt);
    REQUIRE(EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) ==
            1);
    return signature;
}

} // namespace

TEST_SUITE("crypto")
{
    TEST_CASE("RS256 accepts the example of RFC 7515 A.2, and it alone")
    {
        const auto vector = jws("RS256");
        const auto key = test::rsa_public(vector.base64url("n"), vector.base64url("e"));
        const auto input = vector.text("input");
        const auto signature = vector.base64url("signature");

        CHECK(key.verify(SignatureAlgorithm::rs256, octets(input), signature));

        CHECK_FALSE(key.verify(SignatureAlgorithm::rs256, octets(input + "A"), signature));
        CHECK_FALSE(key.verify(SignatureAlgorithm::ps256, octets(input), signature));
        CHECK_FALSE(key.verify(SignatureAlgorithm::es256, octets(input), signature));
        auto changed = signature;
        changed.back() ^= 1;
        CHECK_FALSE(key.verify(SignatureAlgorithm::rs256, octets(input), changed));
    }

    TEST_CASE("ES256 accepts the example of RFC 7515 A.3, and it alone")
    {
        const auto vector = jws("ES256");
        const auto key =
            PublicKey::from_p256(vector.base64url("x"), vector.base64url("y")).value();
        const auto input = vector.text("input");
        const auto signature = vector.base64url("signature");

        CHECK(key.verify(SignatureAlgorithm::es256, octets(input), signature));

        CHECK_FALSE(key.verify(SignatureAlgorithm::es256, octets(input + "A"), signature));
        CHECK_FALSE(key.verify(SignatureAlgorithm::rs256, octets(input), signature));
        auto changed = signature;
        changed.front() ^= 1;
        CHECK_FALSE(key.verify(SignatureAlgorithm::es256, octets(input), changed));
    }

    TEST_CASE("a signature of the wrong length is false, not an error")
    {
        const auto rsa = jws("RS256");
        const auto ec = jws("ES256");
        const auto rsa_key = test::rsa_public(rsa.base64url("n"), rsa.base64url("e"));
        const auto ec_key = PublicKey::from_p256(ec.base64url("x"), ec.base64url("y")).value();

        for (const auto& [key, vector, algorithm] :
             {std::tuple{&rsa_key, &rsa, SignatureAlgorithm::rs256},
              std::tuple{&ec_key, &ec, SignatureAlgorithm::es256}}) {
            auto longer = vector->base64url("signature");
            longer.insert(longer.begin(), 0); // the same number
            auto shorter = vector->base64url("signature");
            shorter.pop_back();
            const auto input = octets(vector->text("input"));
            CHECK_FALSE(key->verify(algorithm, input, longer));
            CHECK_FALSE(key->verify(algorithm, input, shorter));
            CHECK_FALSE(key->verify(algorithm, input, {}));
        }
    }

    TEST_CASE("ES256 signatures are R and S side by side: DER and zeros are refused")
    {
        const auto key = PrivateKey::generate_p256();
        const auto data = octets("message");

        CHECK(key.sign(SignatureAlgorithm::es256, data).size() == 64);
        CHECK_FALSE(key.public_key().verify(SignatureAlgorithm::es256, data, Bytes(64)));

        const crypto::ossl::UniqueDigestContext context{EVP_MD_CTX_new()};
        Bytes der(80);
        auto size = der.size();
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.native());
        REQUIRE(EVP_DigestSign(context.get(), der.data(), &size, data.data(), data.size()) ==
                1);
        der.resize(size);
        CHECK_FALSE(key.public_key().verify(SignatureAlgorithm::es256, data, der));
    }

    TEST_CASE("each algorithm verifies what it signed")
    {
        const auto rsa = test::make_rsa(2048);
        const auto ec = PrivateKey::generate_p256();
        const auto data = octets("message");

        for (const auto algorithm : {SignatureAlgorithm::rs256, SignatureAlgorithm::ps256})
            CHECK(rsa.public_key().verify(algorithm, data, rsa.sign(algorithm, data)));
        for (int i = 0; i != 64; ++i) // R or S starts with a zero octet now and then
            CHECK(ec.public_key().verify(SignatureAlgorithm::es256, data,
                                         ec.sign(SignatureAlgorithm::es256, data)));
    }

    TEST_CASE("PS256 wants a salt of 32 octets")
    {
        const auto key = test::make_rsa(2048);
        const auto data = octets("message");

        for (const int salt : {0, 20, 31, 33, 64, 222})
            CHECK_FALSE(key.public_key().verify(SignatureAlgorithm::ps256, data,
                                                sign_pss(key, data, salt)));
        CHECK(
            key.public_key().verify(SignatureAlgorithm::ps256, data, sign_pss(key, data, 32)));
    }

    TEST_CASE("a key signs with the algorithms of its kind alone")
    {
        const auto rsa = test::make_rsa(2048);
        const auto p384 = test::make_ec("P-384");

        CHECK_THROWS_AS(rsa.sign(SignatureAlgorithm::es256, octets("m")), Error);
        CHECK_THROWS_AS(p384.sign(SignatureAlgorithm::es256, octets("m")), Error);
        CHECK_THROWS_AS(p384.sign(SignatureAlgorithm::rs256, octets("m")), Error);
        CHECK_FALSE(
            p384.public_key().verify(SignatureAlgorithm::es256, octets("m"), Bytes(64)));
    }

    TEST_CASE("a P-256 point off the curve or of another size is refused")
    {
        const auto vector = jws("ES256");
        const auto x = vector.base64url("x");
        auto y = vector.base64url("y");
        CHECK(PublicKey::from_p256(x, y).has_value());

        CHECK(PublicKey::from_p256(y, x).has_error());
        CHECK(PublicKey::from_p256(Bytes(32), Bytes(32)).has_error());
        CHECK(PublicKey::from_p256(Bytes(32, 0xFF), Bytes(32, 0xFF)).has_error());
        CHECK(PublicKey::from_p256(ByteView{x}.first(31), y).has_error());
        CHECK(PublicKey::from_p256({}, {}).has_error());
        y.back() ^= 1;
        CHECK(PublicKey::from_p256(x, y).has_error());
    }

    TEST_CASE("a public key tells its kind, size and exponent")
    {
        const auto rsa = test::make_rsa(2048, 3).public_key();
        const auto p256 = PrivateKey::generate_p256().public_key();
        const auto p384 = test::make_ec("P-384").public_key();

        CHECK(rsa.is_rsa());
        CHECK_FALSE(rsa.is_p256());
        CHECK(rsa.bits() == 2048);
        CHECK(rsa.rsa_exponent() == 3);
        CHECK(p256.is_p256());
        CHECK_FALSE(p256.is_rsa());
        CHECK(p256.bits() == 256);
        CHECK(p256.rsa_exponent() == std::nullopt);
        CHECK_FALSE(p384.is_p256());
    }

    TEST_CASE("a SubjectPublicKeyInfo survives its way there and back, and ends where it ends")
    {
        const auto spki = PrivateKey::generate_p256().public_key().spki();
        auto longer = spki;
        longer.push_back(0);
        auto shorter = spki;
        shorter.pop_back();

        CHECK(PublicKey::from_spki(spki).value().spki() == spki);
        for (const auto& bad : {longer, shorter, Bytes{}, Bytes(5000)})
            CHECK(PublicKey::from_spki(bad).error().code() == Errc::malformed_input);
    }

    TEST_CASE("the public half holds no private key")
    {
        const auto half = PrivateKey::generate_p256().public_key();

        CHECK_THROWS_AS(PrivateKey{std::shared_ptr<EVP_PKEY>(half.native(), [](auto*) {})}.sign(
                            SignatureAlgorithm::es256, octets("m")),
                        Error);
    }

    TEST_CASE("private keys are read from PKCS #8 in DER and PEM, and never ask for a password")
    {
        const auto key = PrivateKey::generate_p256();
        const auto der = pkcs8(key);
        auto longer = der;
        longer.push_back(0);

        CHECK(PrivateKey::from_der(der).value().public_key().spki() == key.public_key().spki());
        CHECK(PrivateKey::from_pem(pem(key, nullptr)).value().public_key().spki() ==
              key.public_key().spki());
        CHECK(PrivateKey::from_der(longer).has_error());
        CHECK(PrivateKey::from_der({}).has_error());
        CHECK(PrivateKey::from_pem("").has_error());
        CHECK(PrivateKey::from_pem(pem(key, "word")).has_error());
    }

    TEST_CASE("refused input leaves nothing on the thread's OpenSSL error queue")
    {
        ERR_clear_error();
        const auto key = PrivateKey::generate_p256();

        (void)PublicKey::from_spki(Bytes(20, 0x30));
        (void)PublicKey::from_p256(Bytes(32), Bytes(32));
        (void)PrivateKey::from_der(Bytes(20, 0x30));
        (void)PrivateKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n");
        (void)key.public_key().verify(SignatureAlgorithm::es256, octets("m"), Bytes(64, 1));

        CHECK(ERR_peek_error() == 0);
    }
}
