#include "cps/crypto/prepared_key.hpp"

#include "cps/base/error.hpp"
#include "support/keys.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using namespace cps;
using crypto::PreparedKey;
using crypto::SignatureAlgorithm;

TEST_SUITE("crypto")
{
    TEST_CASE("a prepared key tells right from wrong in two threads at once")
    {
        const auto pair = test::make_ec("P-256");
        const PreparedKey key{pair.public_key(), SignatureAlgorithm::es256};
        const Bytes right(40, 1);
        const Bytes wrong(40, 2);
        const auto signature = pair.sign(SignatureAlgorithm::es256, right);
        std::atomic<int> mistaken{0};
        const auto verify_many = [&] {
            for (int i = 0; i != 200; ++i)
                if (!key.verify(right, signature) || key.verify(wrong, signature))
                    ++mistaken;
        };
        {
            const std::jthread one{verify_many};
            const std::jthread other{verify_many};
        }
        CHECK(mistaken == 0);
    }

    TEST_CASE("a prepared key refuses a signature of another length, and another kind of key")
    {
        const auto pair = test::make_ec("P-256");
        const PreparedKey key{pair.public_key(), SignatureAlgorithm::es256};
        auto signature = pair.sign(SignatureAlgorithm::es256, Bytes(8));
        signature.push_back(0);
        CHECK_FALSE(key.verify(Bytes(8), signature));
        CHECK_FALSE(key.verify(Bytes(8), {}));
        CHECK_THROWS_AS(PreparedKey(pair.public_key(), SignatureAlgorithm::rs256), Error);
    }
}
