#include "crl_fixture.hpp"

using namespace cps;
using namespace cps::test;

TEST_SUITE("x509")
{
    TEST_CASE("a delta adds to the complete list and removes what was on hold")
    {
        Store store;
        REQUIRE(store.takes(crl_of({.number = 10, .revoked = {{"77"}}})));
        CHECK(store.check().is_good());

        REQUIRE(store.takes(crl_of({.number = 11,
                                    .base = 10,
                                    .this_update = noon - 1h,
                                    .revoked = {{card_serial(), 6}}})));
        CHECK(store.check().reason == RevocationReason::certificate_hold);

        REQUIRE(store.takes(crl_of({.number = 12, .base = 10, .this_update = noon})));
        CHECK(store.check().is_good());

        REQUIRE(store.takes(
            crl_of({.number = 13, .this_update = noon + 1s, .revoked = {{card_serial(), 6}}})));
        CHECK(store.check().is_revoked()); // the complete list, later than any delta
        REQUIRE(store.takes(crl_of({.number = 14,
                                    .base = 13,
                                    .this_update = noon + 2s,
                                    .revoked = {{card_serial(), 8}}})));
        CHECK(store.check().is_good());
        CHECK(store.refusal(crl_of({.number = 12, .base = 10, .this_update = noon + 3s})) ==
              RevocationDoubt::rolled_back);
    }

    TEST_CASE("a delta for another base removes nothing and renews nothing, yet adds")
    {
        Store store;
        REQUIRE(store.takes(crl_of({.number = 10, .revoked = {{card_serial(), 6}}})));
        REQUIRE(store.takes(crl_of(
            {.number = 15, .base = 12, .this_update = noon, .revoked = {{card_serial(), 8}}})));
        CHECK(store.check().is_revoked());

        Store adding;
        REQUIRE(adding.takes(crl_of({.number = 10})));
        REQUIRE(adding.takes(crl_of(
            {.number = 15, .base = 12, .this_update = noon, .next_update = noon + 30 * 24h})));
        adding.clock.advance(3 * 24h);
        CHECK(adding.doubt() == RevocationDoubt::stale);
        REQUIRE(adding.takes(crl_of({.number = 16,
                                     .base = 12,
                                     .this_update = noon + 1h,
                                     .revoked = {{card_serial()}}})));
        CHECK(adding.check().is_revoked());
    }

    TEST_CASE("a delta that fits makes the complete list as fresh as itself")
    {
        Store store;
        REQUIRE(store.takes(crl_of({.number = 10})));
        store.clock.advance(3 * 24h);
        CHECK(store.doubt() == RevocationDoubt::stale);

        REQUIRE(store.takes(crl_of({.number = 11,
                                    .base = 9,
                                    .this_update = noon + 3 * 24h - 1h,
                                    .next_update = noon + 4 * 24h})));
        CHECK(store.check().is_good());
    }

    TEST_CASE("a delta alone makes nobody good")
    {
        Store store;
        REQUIRE(store.takes(crl_of({.number = 11, .base = 9})));

        CHECK(store.doubt() == RevocationDoubt::no_source);
        CHECK(store.refusal(crl_of({.number = {}, .base = 9})) ==
              RevocationDoubt::not_an_answer);
    }
}
