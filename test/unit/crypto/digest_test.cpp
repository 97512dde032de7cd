#include "cps/crypto/digest.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"
#include "cps/crypto/random.hpp"
#include "support/vector_file.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cps;
using crypto::DigestAlgorithm;

namespace {

DigestAlgorithm algorithm_of(const std::string& name)
{
    if (name == "sha1")
        return DigestAlgorithm::sha1;
    if (name == "sha224")
        return DigestAlgorithm::sha224;
    if (name == "sha256")
        return DigestAlgorithm::sha256;
    if (name == "sha384")
        return DigestAlgorithm::sha384;
    REQUIRE(name == "sha512");
    return DigestAlgorithm::sha512;
}

} // namespace

TEST_SUITE("crypto")
{
    TEST_CASE("digests are those of FIPS 180-4")
    {
        for (const auto& vector : test::read_vectors("crypto/digest.txt")) {
            const auto algorithm = algorithm_of(vector.text("algorithm"));
            CAPTURE(vector.text("algorithm"));

            const auto value = crypto::digest(algorithm, octets(vector.text("message")));

            CHECK(value == vector.hex("digest"));
            CHECK(crypto::digest_size(algorithm) == value.size());
            if (algorithm == DigestAlgorithm::sha256)
                CHECK(
                    std::ranges::equal(crypto::sha256(octets(vector.text("message"))), value));
        }
    }

    TEST_CASE("DigestInfo is the prefix of RFC 8017 and the digest")
    {
        for (const auto& vector : test::read_vectors("crypto/digest_info.txt")) {
            const auto algorithm = algorithm_of(vector.text("algorithm"));
            const auto value = crypto::digest(algorithm, octets("abc"));

            const auto info = crypto::digest_info(algorithm, value);

            CHECK(to_hex(info) == to_hex(vector.hex("prefix")) + to_hex(value));
        }
    }

    TEST_CASE("DigestInfo refuses a value of another size")
    {
        CHECK_THROWS_AS(crypto::digest_info(DigestAlgorithm::sha256, Bytes(31)), Error);
        CHECK_THROWS_AS(crypto::digest_info(DigestAlgorithm::sha1, Bytes(32)), Error);
    }

    TEST_CASE("random octets have the size asked for and do not come twice")
    {
        CHECK(crypto::random_bytes(0).empty());
        CHECK(crypto::random_bytes(32).size() == 32);
        CHECK(crypto::random_bytes(32) != crypto::random_bytes(32));
    }
}
