#include "cps/verify/refusal.hpp"
#include "cps/verify/store.hpp"
#include "portal.hpp"

#include <doctest/doctest.h>

#include <set>
#include <thread>

using namespace cps;
using std::chrono::seconds;
using verify::MemoryStore;
using verify::Refusal;

namespace {

token::Nonce nonce(std::size_t number)
{
    Bytes octets(32, 0);
    for (std::size_t i = 0; i != sizeof number; ++i)
        octets[i] = static_cast<std::uint8_t>(number >> 8 * i);
    return token::Nonce::from_bytes(octets);
}

verify::NonceRecord record(const Clock& clock, std::string session = "s")
{
    return {std::move(session), {token::Feature::login()}, clock.now()};
}

} // namespace

TEST_SUITE("verify")
{
    TEST_CASE("a remembered nonce gives its record once")
    {
        test::SetClock clock;
        MemoryStore store{clock};
        REQUIRE(store.remember(nonce(1), record(clock, "mine")).has_value());

        const auto first = store.burn(nonce(1));
        const auto second = store.burn(nonce(1));

        REQUIRE(first.has_value());
        CHECK(first->session == "mine");
        CHECK(first->issued == clock.time);
        CHECK(second.error() == Refusal::nonce_unknown);
    }

    TEST_CASE("one nonce is not handed out twice")
    {
        test::SetClock clock;
        MemoryStore store{clock};
        (void)store.remember(nonce(1), record(clock, "mine"));

        CHECK(store.remember(nonce(1), record(clock, "theirs")).error() == Refusal::replayed);
        CHECK(store.burn(nonce(1))->session == "mine");
    }

    TEST_CASE("a session has at most eight live nonces")
    {
        test::SetClock clock;
        MemoryStore store{clock};
        for (std::size_t i = 0; i != verify::max_live_nonces; ++i)
            REQUIRE(store.remember(nonce(i), record(clock)).has_value());

        CHECK(store.remember(nonce(99), record(clock)).error() == Refusal::limit_reached);
        CHECK(store.remember(nonce(99), record(clock, "other")).has_value());
        (void)store.burn(nonce(0));
        CHECK(store.remember(nonce(0), record(clock)).has_value());
    }

    TEST_CASE("nonces that are too old make room")
    {
        test::SetClock clock;
        MemoryStore store{clock};
        for (std::size_t i = 0; i != verify::max_live_nonces; ++i)
            (void)store.remember(nonce(i), record(clock));

        clock.time += verify::nonce_lifetime;
        CHECK(store.remember(nonce(99), record(clock)).error() == Refusal::limit_reached);
        clock.time += seconds{1};
        CHECK(store.remember(nonce(99), record(clock)).has_value());
        CHECK(store.burn(nonce(0)).error() == Refusal::nonce_unknown);
    }

    TEST_CASE("a full store refuses instead of growing")
    {
        test::SetClock clock;
        MemoryStore store{clock};
        for (std::size_t i = 0; i != MemoryStore::max_nonces; ++i)
            (void)store.remember(nonce(i), record(clock, std::to_string(i)));

        CHECK(store.remember(nonce(MemoryStore::max_nonces), record(clock)).error() ==
              Refusal::store_unavailable);
        (void)store.burn(nonce(0));
        CHECK(store.remember(nonce(MemoryStore::max_nonces), record(clock)).has_value());
    }

    TEST_CASE("of many who burn one nonce at the same time, one gets it")
    {
        test::SetClock clock;
        MemoryStore store{clock};
        std::atomic<int> won = 0;

        for (std::size_t round = 0; round != 200; ++round) {
            (void)store.remember(nonce(round), record(clock));
            std::array<std::jthread, 4> burners;
            for (auto& burner : burners)
                burner = std::jthread{[&] { won += store.burn(nonce(round)).has_value(); }};
        }

        CHECK(won == 200);
    }

    TEST_CASE("each refusal has a code of its own")
    {
        std::set<std::string_view> codes;
        constexpr auto count = static_cast<int>(Refusal::store_unavailable) + 1;

        for (int i = 0; i != count; ++i)
            codes.insert(verify::code_of(static_cast<Refusal>(i)));

        CHECK(codes.size() == count);
        CHECK(codes.contains("store_unavailable"));
    }
}
