#include "agent/session_bench.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;
using namespace cps::agent::test;

TEST_SUITE("agent")
{
    TEST_CASE("a card that refuses a renewal ends every session and wipes the PIN")
    {
        Bench bench;
        const auto one = bench.open();
        const auto two = bench.open();

        bench.sessions.renewal_failed(one, true);

        CHECK(bench.use(two) == Errc::session_ended);
        CHECK(bench.noted.count("ended: card_refused") == 2);
        CHECK_FALSE(bench.sessions.lend_pin(bench.card).has_value());
    }

    TEST_CASE("a session ends with its card, and another card does not bring it back")
    {
        for (const auto& after :
             {readers({}), readers({{"Reader 1", pcsc::CardState::absent, {}, 2}}),
              with_card(3), // pulled and put back between two looks
              readers({{"Reader 1", pcsc::CardState::mute, {}, 1}}),
              readers({{"Reader 2", pcsc::CardState::present, {}, 1}}), pcsc::Snapshot{}}) {
            Bench bench;
            const auto id = bench.open();

            bench.sessions.cards_are(after);

            CHECK(bench.use(id) == Errc::session_ended);
            bench.sessions.cards_are(with_card());
            CHECK(bench.use(id) == Errc::session_ended);
            CHECK(bench.noted.said.back() == "ended: card_removed");
            CHECK(bench.noted.revoked.size() == 1);
            CHECK_FALSE(bench.sessions.lend_pin(bench.card).has_value());
        }
    }

    TEST_CASE("whoever leaves takes sessions, what is being opened, and the PIN along")
    {
        for (const auto reason :
             {SessionEnd::screen_locked, SessionEnd::suspended, SessionEnd::logged_out}) {
            Bench bench;
            const auto id = bench.open();
            const auto draft = bench.sessions.draft(bench.at, {feature("a.read")}).value();
            auto lent = bench.sessions.lend_pin(bench.card);

            CHECK(bench.sessions.end_all(reason) == 1);

            CHECK(bench.use(id) == Errc::session_ended);
            CHECK(bench.noted.said.back() == "ended: " + std::string{name_of(reason)});
            CHECK(bench.noted.revoked.size() == 1);
            CHECK_FALSE(bench.sessions.open(draft.id, "token 2", bench.grant()).has_value());
            bench.sessions.give_back_pin(bench.card, std::move(*lent));
            CHECK_FALSE(bench.sessions.lend_pin(bench.card).has_value());
        }
    }

    TEST_CASE("the sessions of a portal that is not registered any more end")
    {
        Bench bench;
        const auto id = bench.open();

        bench.sessions.end_strangers(Portals{});

        CHECK(bench.use(id) == Errc::session_ended);
        CHECK(bench.noted.said.back() == "ended: portal_removed");
        CHECK_FALSE(bench.sessions.lend_pin(bench.card).has_value());
    }

    TEST_CASE("what happens in another reader leaves a session alone")
    {
        Bench bench;
        const auto id = bench.open();

        auto now = with_card();
        now.readers.push_back({"Reader 2", pcsc::CardState::present, {}, 7});
        bench.sessions.cards_are(now);
        now.readers[0].card = pcsc::CardState::exclusive; // our own worker, say
        bench.sessions.cards_are(now);

        CHECK(bench.use(id) == Bench::fine);
    }

    TEST_CASE("a card that went while its session was being opened opens none")
    {
        Bench bench;
        const auto ask = bench.sessions.draft(bench.at, {feature("a.read")}).value();

        bench.sessions.cards_are(with_card(3));

        CHECK(bench.sessions.open(ask.id, "t", bench.grant()).error().code() ==
              Errc::card_removed);
        CHECK(bench.sessions.list().empty());
        CHECK_FALSE(bench.sessions.lend_pin(bench.card).has_value());
    }

    TEST_CASE("what was ended while the card signed stays ended")
    {
        Bench bench;
        const auto open = bench.open();
        const auto ask = bench.sessions.draft(bench.at, {feature("a.read")}).value();
        CHECK(
            bench.sessions.ask_renewal(bench.at.origin, open, {feature("a.read")}).has_value());
        auto lent = bench.sessions.lend_pin(bench.card);
        REQUIRE(lent.has_value());

        CHECK(bench.sessions.end_all(SessionEnd::screen_locked) == 1);

        CHECK(bench.sessions.open(ask.id, "t", bench.grant()).error().code() ==
              Errc::session_ended);
        CHECK(bench.sessions.renew(open, "t", bench.grant(), {}).error().code() ==
              Errc::session_ended);
        bench.sessions.give_back_pin(bench.card, std::move(*lent));
        CHECK_FALSE(bench.sessions.lend_pin(bench.card).has_value());
        CHECK(bench.noted.said.back() == "ended: screen_locked");
    }

    TEST_CASE("a PIN is lent once at a time and goes with its card's last session")
    {
        Bench bench;
        const auto one = bench.open();
        const auto two = bench.open();

        auto lent = bench.sessions.lend_pin(bench.card);
        REQUIRE(lent.has_value());
        CHECK(text_of(lent->bytes()) == "1234");
        CHECK_FALSE(bench.sessions.lend_pin(bench.card).has_value());
        bench.sessions.give_back_pin(bench.card, std::move(*lent));
        CHECK_FALSE(bench.sessions.lend_pin(card_in("Reader 1", 2)).has_value());
        CHECK(bench.sessions.end(bench.at.origin, one).has_value());
        lent = bench.sessions.lend_pin(bench.card);
        REQUIRE(lent.has_value());
        bench.sessions.give_back_pin(bench.card, std::move(*lent));
        CHECK(bench.sessions.end(bench.at.origin, two).has_value());
        CHECK_FALSE(bench.sessions.lend_pin(bench.card).has_value());
    }

    TEST_CASE("an idle session ends after an hour, and use puts that off")
    {
        Bench bench;
        const auto id = bench.open();

        bench.clock.at += 59min;
        CHECK(bench.use(id) == Errc::challenge_stale); // no use: it made nothing
        CHECK(bench.sessions.sweep() == bench.clock.at + 1min);
        bench.clock.at += 1min;
        CHECK(bench.sessions.sweep() == std::nullopt);

        CHECK(bench.noted.said.back() == "ended: idle");
        CHECK_FALSE(bench.sessions.lend_pin(bench.card).has_value());
        CHECK(bench.use(id) == Errc::session_ended);
    }

    TEST_CASE("a session ends after four hours however much it is used")
    {
        Bench bench;
        const auto id = bench.open();
        const auto opened = bench.clock.at;

        for (int i = 0; i != 5; ++i) {
            bench.clock.at += 45min;
            CHECK(bench.sessions.ask_renewal(bench.at.origin, id, {feature("a.read")})
                      .has_value());
            CHECK(
                bench.sessions.renew(id, "t", bench.grant(), {feature("a.read")}).has_value());
        }
        CHECK(bench.sessions.sweep() == opened + 4h);
        bench.clock.at = opened + 4h;

        // Nobody swept: the next use finds it over.
        CHECK(bench.use(id) == Errc::session_ended);
        CHECK(bench.noted.said.back() == "ended: too_long");
    }

    TEST_CASE("on its end a session's last two tokens are revoked, if they still live")
    {
        Bench bench;
        const auto id = bench.open();
        for (const auto* const token : {"token 2", "token 3"}) {
            CHECK(bench.sessions.ask_renewal(bench.at.origin, id, {feature("a.read")})
                      .has_value());
            CHECK(bench.sessions.renew(id, token, bench.grant(), {feature("a.read")})
                      .has_value());
        }
        const auto over = bench.open();
        CHECK(bench.sessions.end(bench.at.origin, id).has_value());
        CHECK(bench.noted.revoked.size() == 2);
        for (const auto& one : bench.noted.revoked)
            CHECK(one.starts_with("https://portal.example/revoke eyJ"));

        bench.clock.at += 11min;
        CHECK(bench.sessions.end(bench.at.origin, over).has_value());
        CHECK(bench.noted.revoked.size() == 2);
    }
}
