#include "answered.hpp"
#include "presence.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cps;
using namespace cps::agent;
using namespace std::chrono_literals;

namespace {

token::Nonce nonce(unsigned number)
{
    Bytes octets(token::Nonce::octets, 0);
    octets[0] = static_cast<std::uint8_t>(number);
    octets[1] = static_cast<std::uint8_t>(number >> 8);
    return token::Nonce::from_bytes(octets);
}

const auto one = *token::Origin::parse("https://one.example");
const auto two = *token::Origin::parse("https://two.example");

pcsc::Snapshot with(std::vector<pcsc::Reader> readers)
{
    return {true, std::move(readers)};
}

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE(
        "a nonce is remembered for its origin, and the oldest goes when there are too many")
    {
        AnsweredNonces answered;

        for (unsigned i = 0; i != AnsweredNonces::capacity + 1; ++i)
            answered.add(one, nonce(i));

        CHECK_FALSE(answered.contains(one, nonce(0)));
        CHECK(answered.contains(one, nonce(1)));
        CHECK(answered.contains(one, nonce(AnsweredNonces::capacity)));
        CHECK_FALSE(answered.contains(two, nonce(1)));
    }

    TEST_CASE("a Web eID nonce is remembered for its origin as any other")
    {
        AnsweredNonces answered;
        const auto web_eid = *token::WebEidNonce::parse(std::string(44, 'A'));

        answered.add(one, web_eid);

        CHECK(answered.contains(one, web_eid));
        CHECK_FALSE(answered.contains(two, web_eid));
        CHECK_FALSE(answered.contains(one, *token::WebEidNonce::parse(std::string(45, 'A'))));
    }

    TEST_CASE("an origin that was refused waits, longer each time, and others do not")
    {
        CoolDown cool_down;
        const CoolDown::Time start{1h};

        cool_down.refused(one, start);
        CHECK(cool_down.must_wait(one, start + 4s));
        CHECK_FALSE(cool_down.must_wait(two, start + 4s));
        CHECK_FALSE(cool_down.must_wait(one, start + 5s));

        cool_down.refused(one, start + 5s);
        CHECK(cool_down.must_wait(one, start + 14s));
        for (int i = 0; i != 20; ++i)
            cool_down.refused(one, start + 15s);
        CHECK(cool_down.must_wait(one, start + 314s));
        CHECK_FALSE(cool_down.must_wait(one, start + 315s));

        cool_down.agreed(one);
        CHECK_FALSE(cool_down.must_wait(one, start + 16s));
    }

    TEST_CASE("the obstacle named is the one that the person can do something about")
    {
        using pcsc::CardState;
        Presence presence;

        CHECK(presence.obstacle() == Errc::no_service);
        presence.update(with({}));
        CHECK(presence.obstacle() == Errc::no_reader);
        presence.update(with({{"A", CardState::absent, {}}}));
        CHECK(presence.obstacle() == Errc::no_card);
        presence.update(with({{"A", CardState::mute, {}}, {"B", CardState::absent, {}}}));
        CHECK(presence.obstacle() == Errc::card_mute);
        presence.update(with({{"A", CardState::exclusive, {}}}));
        CHECK(presence.obstacle() == Errc::card_in_use);
        presence.update(with({{"A", CardState::absent, {}}, {"B", CardState::present, {}}}));
        CHECK_FALSE(presence.obstacle());
    }

    TEST_CASE("a job is told when its own card goes, and not when another does")
    {
        using pcsc::CardState;
        Presence presence;
        Cancel cancel;
        presence.update(with({{"A", CardState::present, {}}, {"B", CardState::present, {}}}));
        presence.watch(cancel, "A");

        presence.update(with({{"A", CardState::present, {}}, {"B", CardState::absent, {}}}));
        CHECK_FALSE(cancel.reason());
        presence.update(with({{"A", CardState::absent, {}}, {"B", CardState::absent, {}}}));
        CHECK(cancel.reason() == Errc::card_removed);
        presence.unwatch();
    }

    TEST_CASE("a reader whose name was cut to 64 octets by its slot is found")
    {
        const std::string longer(80, 'R');

        CHECK(is_reader(longer.substr(0, 64), longer));
        CHECK_FALSE(is_reader(longer.substr(0, 63), longer));
        CHECK(is_reader("Reader 00 00", "Reader 00 00"));
        CHECK_FALSE(is_reader("Reader 00 0", "Reader 00 00"));
    }
}
