#include "cps/crypto/session_key.hpp"

#include "cps/base/secret.hpp"
#include "cps/crypto/openssl.hpp"

#include <doctest/doctest.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

using namespace cps;
using crypto::SessionKey;
using crypto::SignatureAlgorithm;

namespace {

/// One mapping of /proc/self/smaps.
struct Mapping {
    std::uintptr_t begin = 0, end = 0;
    bool writable = false, locked = false, undumpable = false;
};

std::vector<Mapping> mappings()
{
    std::vector<Mapping> found;
    std::ifstream smaps{"/proc/self/smaps"};
    for (std::string line; std::getline(smaps, line);) {
        std::uintptr_t begin = 0, end = 0;
        char dash = 0;
        std::string rights;
        std::istringstream words{line};
        if (words >> std::hex >> begin >> dash >> end >> rights && dash == '-')
            found.push_back({begin, end, rights.starts_with("rw"), false, false});
        else if (line.starts_with("VmFlags:")) {
            found.back().locked = line.find(" lo") != std::string::npos;
            found.back().undumpable = line.find(" dd") != std::string::npos;
        }
    }
    return found;
}

struct Places {
    int safe = 0;
    int unsafe = 0;
};

/// Where in this process's writable memory `secret` stands.
Places places_of(ByteView secret)
{
    Places places;
    for (const auto& mapping : mappings()) {
        if (!mapping.writable)
            continue;
        const auto* const begin = reinterpret_cast<const std::uint8_t*>(mapping.begin);
        const auto* const end = reinterpret_cast<const std::uint8_t*>(mapping.end);
        for (const auto* at = begin;
             (at = std::search(at, end, secret.begin(), secret.end())) != end; ++at)
            ++(mapping.locked && mapping.undumpable ? places.safe : places.unsafe);
    }
    return places;
}

/// The scalar as OpenSSL holds it on a little-endian machine, in a page of our own.
void read_scalar(EVP_PKEY* key, std::span<std::uint8_t> out)
{
    BIGNUM* scalar = BN_secure_new();
    REQUIRE(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1);
    REQUIRE(BN_bn2lebinpad(scalar, out.data(), static_cast<int>(out.size())) > 0);
    BN_clear_free(scalar);
}

} // namespace

namespace cps::crypto {
/// The test's way in.
struct SessionKeyProbe {
    static EVP_PKEY* native(const SessionKey& key) { return key.key_.get(); }
};
} // namespace cps::crypto

TEST_SUITE("crypto")
{
    TEST_CASE("a session key's signatures verify with its public half, again and again")
    {
        crypto::start_secure_heap();
        auto key = SessionKey::make();
        auto other = SessionKey::make();

        for (const auto* const text : {"one", "two", ""}) {
            const auto signature = key.sign(octets(text));
            CHECK(signature.size() == 64);
            CHECK(key.public_key().verify(SignatureAlgorithm::es256, octets(text), signature));
            CHECK_FALSE(
                key.public_key().verify(SignatureAlgorithm::es256, octets("three"), signature));
            CHECK_FALSE(
                other.public_key().verify(SignatureAlgorithm::es256, octets(text), signature));
        }
    }

    TEST_CASE(
        "a session key stands in locked, undumpable memory alone, and goes with its owner")
    {
        crypto::start_secure_heap();
        const auto before = CRYPTO_secure_used();
        LockedPage page;
        const auto scalar = page.bytes().first(32);
        {
            auto key = SessionKey::make();
            (void)key.sign(octets("first"));
            auto moved = std::move(key);
            for (int i = 0; i != 100; ++i)
                (void)moved.sign(octets("again"));
            read_scalar(crypto::SessionKeyProbe::native(moved), scalar);

            const auto places = places_of(scalar);

            CHECK(places.unsafe == 0);
            CHECK(places.safe == 2); // OpenSSL's and our page's
        }
        CHECK(places_of(scalar).safe == 1);
        CHECK(CRYPTO_secure_used() == before);
    }

    TEST_CASE("the search for a key finds one that lies in ordinary memory")
    {
        crypto::start_secure_heap();
        const auto key = SessionKey::make();
        std::vector<std::uint8_t> copy(32);
        read_scalar(crypto::SessionKeyProbe::native(key), copy);

        CHECK(places_of(copy).unsafe == 1);
    }

    TEST_CASE("when the locked heap is full there is no key, rather than an unlocked one")
    {
        crypto::start_secure_heap();
        std::vector<SessionKey> keys;
        const auto fill = [&] {
            for (int i = 0; i != 10'000; ++i)
                keys.push_back(SessionKey::make());
        };

        CHECK_THROWS_AS(fill(), Error);
        CHECK(keys.size() >= 64);
        CHECK(keys.size() < 10'000);
        keys.clear();
        CHECK_NOTHROW((void)SessionKey::make());
    }
}
