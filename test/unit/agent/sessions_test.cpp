#include "agent/session_bench.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;
using namespace cps::agent::test;

TEST_SUITE("agent")
{
    TEST_CASE("a draft is no session: it makes nothing, is listed nowhere and can be given up")
    {
        Bench bench;

        const auto ask = bench.sessions.draft(bench.at, {feature("a.read")}).value();

        CHECK(ask.id.size() == 22);
        CHECK(ask.claims.limit == 5);
        CHECK_FALSE(ask.claims.previous);
        CHECK(bench.use(ask.id) == Errc::session_ended);
        CHECK(bench.sessions.list().empty());
        bench.sessions.abandon(ask.id);
        CHECK(bench.sessions.open(ask.id, "t", bench.grant()).error().code() ==
              Errc::session_ended);
        CHECK(bench.noted.said.empty());
    }

    TEST_CASE(
        "a session's limit is the strictest of its features', and card features have none")
    {
        Bench bench;
        const auto drafts = [&](std::vector<token::Feature> features) {
            return bench.sessions.draft(bench.at, features);
        };

        CHECK(drafts({feature("a.read"), feature("b.read")}).value().claims.limit == 3);
        for (const auto* const other : {"card.read", "unknown", "login"})
            CHECK(drafts({feature("a.read"), feature(other)}).error().code() ==
                  Errc::feature_unknown);
    }

    TEST_CASE("feature tokens are counted down to the limit and then refused")
    {
        Bench bench;
        const auto id = bench.open();

        for (unsigned left = 5; left-- != 0;) {
            const auto made = bench.sessions.feature_token(bench.at.origin, id, call(bench.at));
            CHECK(made.value().left == left);
            CHECK(claim(made, "seq") == std::to_string(5 - left));
        }

        CHECK(bench.use(id) == Errc::limit_reached);
        CHECK(bench.noted.said.back() == "used, left 0");
    }

    TEST_CASE("a renewal that comes back after the last feature token is of no use")
    {
        Bench bench;
        const auto id = bench.open({feature("b.read")});
        CHECK(bench.sessions.ask_renewal(bench.at.origin, id, {feature("b.read")}).has_value());
        for (int i = 0; i != 3; ++i)
            CHECK(bench.use(id, "b.read") == Bench::fine);

        CHECK(
            bench.sessions.renew(id, "t", bench.grant(), {feature("b.read")}).error().code() ==
            Errc::limit_reached);
        CHECK(bench.sessions.ask_renewal(bench.at.origin, id, {}).error().code() ==
              Errc::limit_reached);
        CHECK(bench.sessions.end(bench.at.origin, id).has_value());
        CHECK(bench.noted.revoked.size() == 1);
    }

    TEST_CASE("nobody but its origin reaches a session, and nobody learns that there is one")
    {
        Bench bench;
        const auto id = bench.open();
        const auto other = portal("https://other.example");

        CHECK(bench.sessions.feature_token(other.origin, id, call(other)).error().code() ==
              Errc::session_ended);
        CHECK(bench.sessions.ask_renewal(other.origin, id, {}).error().code() ==
              Errc::session_ended);
        CHECK(bench.sessions.end(other.origin, id).error().code() == Errc::session_ended);
        CHECK(bench.use(id) == Bench::fine);
    }

    TEST_CASE("times follow the portal's clock, and no token outlives the session token")
    {
        Bench bench;
        const auto id = bench.open();

        bench.clock.at += 580s;
        const auto last = bench.sessions.feature_token(bench.at.origin, id, call(bench.at));
        CHECK(claim(last, "iat") == "1790000580");
        CHECK(claim(last, "exp") == "1790000600");
        bench.clock.at += 20s;
        CHECK(bench.use(id) == Errc::challenge_stale);
    }

    TEST_CASE("a renewal names the token before, and counting goes on")
    {
        Bench bench;
        const auto id = bench.open({feature("a.read"), feature("b.read")});
        CHECK(bench.use(id) == Bench::fine);

        const auto ask = bench.sessions.ask_renewal(bench.at.origin, id, {feature("b.read")});
        CHECK(ask.value().claims.previous == token::token_hash("token 1"));
        CHECK(ask.value().renewal->card == bench.card);
        CHECK(bench.sessions.ask_renewal(bench.at.origin, id, {}).error().code() == Errc::busy);
        CHECK(bench.sessions.renew(id, "token 2", bench.grant(), {feature("b.read")})
                  .has_value());

        const auto made =
            bench.sessions.feature_token(bench.at.origin, id, call(bench.at, "b.read"));
        CHECK(claim(made, "seq") == "2");
        CHECK(claim(made, "cth") == token::token_hash("token 2"));
        // What the new session token does not name is not to be had, though it was agreed to.
        CHECK(bench.use(id, "a.read") == Errc::feature_unknown);
        CHECK(bench.sessions.ask_renewal(bench.at.origin, id, {feature("a.read")}).has_value());
    }

    TEST_CASE("a renewal is silent as long as a PIN is kept for its card, lent or not")
    {
        Bench bench;
        const auto id = bench.open();
        const auto silent = [&] {
            const auto ask = bench.sessions.ask_renewal(bench.at.origin, id, {}).value();
            bench.sessions.renewal_failed(id, false);
            return ask.silent;
        };
        CHECK(silent());
        auto lent = bench.sessions.lend_pin(bench.card);
        REQUIRE(lent.has_value());
        CHECK(silent());

        const auto other = bench.sessions.draft(bench.at, {feature("a.read")}).value().id;
        auto without = bench.grant();
        without.card = card_in("Reader 2", 1);
        without.pin.reset(); // typed on the reader
        bench.sessions.cards_are(readers({{"Reader 1", pcsc::CardState::present, {}, 1},
                                          {"Reader 2", pcsc::CardState::present, {}, 1}}));
        REQUIRE(bench.sessions.open(other, "token", std::move(without)).has_value());
        CHECK_FALSE(bench.sessions.ask_renewal(bench.at.origin, other, {}).value().silent);
    }

    TEST_CASE("a renewal that fails for another reason than the card may be tried again")
    {
        Bench bench;
        const auto id = bench.open();

        CHECK(bench.sessions.ask_renewal(bench.at.origin, id, {feature("a.read")}).has_value());
        bench.sessions.renewal_failed(id, false);

        CHECK(bench.sessions.ask_renewal(bench.at.origin, id, {feature("a.read")}).has_value());
        CHECK(bench.sessions.lend_pin(bench.card).has_value());
    }

    TEST_CASE("an origin's oldest session gives way to its ninth, not another origin's")
    {
        Bench bench;
        const auto other = portal("https://other.example");
        const auto foreign = bench.sessions.draft(other, {feature("a.read")}).value().id;
        CHECK(bench.sessions.open(foreign, "t", bench.grant()).has_value());
        std::vector<std::string> ids;
        for (std::size_t i = 0; i != Sessions::max_of_origin; ++i) {
            bench.clock.at += 1s;
            ids.push_back(bench.open());
        }
        CHECK(bench.use(ids[0]) == Bench::fine);

        bench.clock.at += 1s;
        const auto last = bench.open();

        CHECK(bench.use(ids[0]) == Errc::session_ended);
        CHECK(bench.use(ids[1]) == Bench::fine);
        CHECK(bench.use(last) == Bench::fine);
        CHECK(bench.sessions.feature_token(other.origin, foreign, call(other)).has_value());
        CHECK(bench.noted.count("ended: replaced") == 1);
    }

    TEST_CASE("there are so many sessions in all, drafts too")
    {
        Bench bench;
        for (std::size_t i = 0; i != Sessions::max_in_all; ++i)
            CHECK(bench.sessions.draft(bench.at, {feature("a.read")}).has_value());

        CHECK(bench.sessions.draft(bench.at, {feature("a.read")}).error().code() ==
              Errc::overloaded);
    }

    TEST_CASE("the person's list names sessions without giving them away")
    {
        Bench bench;
        const auto id = bench.open();
        bench.clock.at += 90s;
        CHECK(bench.use(id) == Bench::fine);
        bench.clock.at += 30s;

        const auto listed = bench.sessions.list();

        REQUIRE(listed.size() == 1);
        CHECK(listed[0].short_id == id.substr(0, 8));
        CHECK(listed[0].left == 4);
        CHECK(listed[0].open_for == 120s);
        CHECK(listed[0].idle_for == 30s);
        CHECK_FALSE(bench.sessions.end_one("", SessionEnd::person));
        CHECK_FALSE(bench.sessions.end_one(id.substr(0, 7), SessionEnd::person));
        CHECK_FALSE(bench.sessions.end_one(id, SessionEnd::person));
        CHECK(bench.sessions.end_one(listed[0].short_id, SessionEnd::person));
        CHECK(bench.noted.said.back() == "ended: person");
    }
}
