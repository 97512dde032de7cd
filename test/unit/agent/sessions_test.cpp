#include "sessions.hpp"

#include "cps/base/encoding.hpp"
#include "cps/token/json.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cps;
using namespace cps::agent;
using namespace std::chrono_literals;

namespace {

class FakeClock final : public Clock {
public:
    EpochSeconds now() const override { return epoch_seconds(1790000000); }
    std::chrono::steady_clock::time_point steady() const override { return at; }
    std::chrono::steady_clock::time_point at{std::chrono::hours{100}};
};

struct Noted final : SessionEvents, Revoker {
    void session_opened(const SessionNews&) override { said.emplace_back("opened"); }
    void session_used(const SessionNews& news) override
    {
        said.push_back("used, left " + std::to_string(news.left));
    }
    void session_renewed(const SessionNews&) override { said.emplace_back("renewed"); }
    void session_ended(const SessionNews&, SessionEnd reason) override
    {
        said.push_back("ended: " + std::string{name_of(reason)});
    }
    void revoke(const std::string& uri, const std::string& token) override
    {
        revoked.push_back(uri + ' ' + token);
    }
    std::size_t count(std::string_view what) const
    {
        return static_cast<std::size_t>(std::ranges::count(said, what));
    }
    std::vector<std::string> said, revoked;
};

token::Feature feature(std::string_view name)
{
    return token::Feature::parse(name).value();
}

Portal portal(std::string_view origin = "https://portal.example")
{
    Portal made{token::Origin::parse(origin).value(), {"P", ""}, {}, {}, false, {}};
    made.revoke_uri = made.origin.str() + "/revoke";
    made.features.emplace(feature("a.read"), PortalFeature{{}, FeatureMode::session, 5});
    made.features.emplace(feature("b.read"), PortalFeature{{}, FeatureMode::session, 3});
    made.features.emplace(feature("card.read"), PortalFeature{{}, FeatureMode::card, 0});
    return made;
}

FeatureCall call(const Portal& at, std::string_view name = "a.read")
{
    return {feature(name), token::RequestBinding::parse(
                               at.origin, "GET", at.origin.str() + "/x", std::string(43, 'A'))
                               .value()};
}

CardInReader card_in(std::string reader, unsigned insertion)
{
    return {std::move(reader), insertion, "serial", Bytes{1, 2, 3}};
}

pcsc::Snapshot readers(std::vector<pcsc::Reader> all)
{
    return {true, std::move(all)};
}

pcsc::Snapshot with_card(unsigned insertion = 1)
{
    return readers({{"Reader 1", pcsc::CardState::present, {}, insertion}});
}

Pin pin()
{
    Pin made;
    std::ranges::copy(std::string_view{"1234"}, made.buffer().begin());
    made.set_size(4);
    return made;
}

/// Sessions with a card in the reader, and short ways to use them.
struct Bench {
    Bench()
    {
        crypto::start_secure_heap();
        sessions.add_observer(noted);
        sessions.cards_are(with_card());
    }
    SessionGrant grant(std::chrono::seconds life = 600s) const
    {
        return {card,
                epoch_seconds(1790000000),
                epoch_seconds(1790000000) + life,
                clock.at,
                clock.at,
                pin()};
    }
    std::string open(std::vector<token::Feature> features = {feature("a.read")})
    {
        const auto ask = sessions.draft(at, features).value();
        return sessions.open(ask.id, "token 1", grant()).value().id;
    }
    Errc use(const std::string& id, std::string_view name = "a.read")
    {
        const auto made = sessions.feature_token(at.origin, id, call(at, name));
        return made ? Errc::not_supported : made.error().code();
    }
    static constexpr auto fine = Errc::not_supported; // what no session answers

    Config config;
    FakeClock clock;
    Noted noted;
    Portal at = portal();
    CardInReader card = card_in("Reader 1", 1);
    Sessions sessions{config, clock, noted};
};

std::string claim(const Result<FeatureToken>& made, std::string_view name)
{
    const auto& jws = made.value().token;
    const auto first = jws.find('.');
    const auto payload =
        from_base64url(std::string_view{jws}.substr(first + 1, jws.rfind('.') - first - 1));
    const auto parsed = token::parse_json(text_of(*payload), 4096).value();
    const auto& value = parsed.as_object().at(name);
    return value.is_string() ? std::string{value.get_string()}
                             : std::to_string(value.to_number<long long>());
}

} // namespace

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

    TEST_CASE("a renewal that fails for another reason than the card may be tried again")
    {
        Bench bench;
        const auto id = bench.open();

        CHECK(bench.sessions.ask_renewal(bench.at.origin, id, {feature("a.read")}).has_value());
        bench.sessions.renewal_failed(id, false);

        CHECK(bench.sessions.ask_renewal(bench.at.origin, id, {feature("a.read")}).has_value());
        CHECK(bench.sessions.lend_pin(bench.card).has_value());
    }

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
