#include "tickets.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;
using namespace std::chrono_literals;

namespace {

struct SetClock final : Clock {
    std::chrono::steady_clock::time_point at{};
    EpochSeconds now() const override { return {}; }
    std::chrono::steady_clock::time_point steady() const override { return at; }
};

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("a ticket opens the page once, within a minute")
    {
        SetClock clock;
        Tickets tickets{clock};
        const auto ticket = tickets.issue();

        CHECK(ticket.size() == 43);
        CHECK_FALSE(tickets.redeem("").has_value());
        CHECK_FALSE(tickets.admits(ticket));
        const auto key = tickets.redeem(ticket);
        REQUIRE(key.has_value());
        CHECK(tickets.admits(*key));
        CHECK_FALSE(tickets.redeem(ticket).has_value());
        CHECK_FALSE(tickets.redeem(*key).has_value());

        const auto late = tickets.issue();
        clock.at += Tickets::ticket_life;
        CHECK_FALSE(tickets.redeem(late).has_value());
        CHECK_FALSE(tickets.redeem(late).has_value());
    }

    TEST_CASE("a page that is left alone is closed, one in use is not")
    {
        SetClock clock;
        Tickets tickets{clock};
        const auto key = tickets.redeem(tickets.issue()).value();

        clock.at += Tickets::key_idle - 1s;
        CHECK(tickets.admits(key));
        clock.at += Tickets::key_idle - 1s;
        CHECK(tickets.admits(key));
        clock.at += Tickets::key_idle;
        CHECK_FALSE(tickets.admits(key));
    }

    TEST_CASE("a page with a stream is open as long as its stream, and half an hour more")
    {
        SetClock clock;
        Tickets tickets{clock};
        const auto key = tickets.redeem(tickets.issue()).value();
        auto stream = std::make_shared<const int>();
        tickets.keep_while(key, stream);
        tickets.keep_while("of nobody", stream);

        clock.at += 10 * Tickets::key_idle;
        for (std::size_t i = 0; i != Tickets::max_keys - 1; ++i)
            CHECK(tickets.redeem(tickets.issue()).has_value());
        clock.at += Tickets::key_idle - 1s;
        CHECK(tickets.redeem(tickets.issue()).has_value());
        CHECK(tickets.admits(key));

        stream.reset();
        clock.at += Tickets::key_idle - 1s;
        CHECK(tickets.admits(key));
        clock.at += Tickets::key_idle;
        CHECK_FALSE(tickets.admits(key));
    }

    TEST_CASE("the oldest ticket and the longest idle page make room")
    {
        SetClock clock;
        Tickets tickets{clock};
        const auto first = tickets.issue();
        for (std::size_t i = 0; i != Tickets::max_tickets; ++i) {
            clock.at += 1s;
            tickets.issue();
        }
        CHECK_FALSE(tickets.redeem(first).has_value());

        const auto idle = tickets.redeem(tickets.issue()).value();
        for (std::size_t i = 0; i != Tickets::max_keys; ++i) {
            clock.at += 1s;
            CHECK(tickets.redeem(tickets.issue()).has_value());
        }
        CHECK_FALSE(tickets.admits(idle));
    }
}
