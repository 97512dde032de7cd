#include "event_streams.hpp"
#include "page_streams.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace cps;
using namespace cps::agent;

namespace {

token::Origin portal_number(std::size_t i)
{
    return token::Origin::parse("https://p" + std::to_string(i) + ".example").value();
}

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("an origin has a few event streams, and gets another when one has gone")
    {
        EventStreams events;
        std::vector<std::shared_ptr<http::Stream>> open;

        for (std::size_t i = 0; i != EventStreams::max_of_origin; ++i)
            open.push_back(events.open(portal_number(1)).value());

        CHECK(events.open(portal_number(1)).error().code() == Errc::overloaded);
        CHECK(events.open(portal_number(2)).has_value());
        open.pop_back();
        CHECK(events.open(portal_number(1)).has_value());
    }

    TEST_CASE("all origins together leave connections for calls")
    {
        EventStreams events;
        std::vector<std::shared_ptr<http::Stream>> open;

        for (std::size_t i = 0; i != EventStreams::max_in_all; ++i)
            open.push_back(events.open(portal_number(i)).value());

        CHECK(events.open(portal_number(99)).error().code() == Errc::overloaded);
        open.clear();
        CHECK(events.open(portal_number(99)).has_value());
    }

    TEST_CASE("a status page has one stream, the last one it opened")
    {
        PageStreams pages;
        std::vector<std::shared_ptr<http::Stream>> open;

        for (std::size_t i = 0; i != PageStreams::max_open; ++i)
            open.push_back(pages.open("key " + std::to_string(i)).value());

        CHECK(pages.open("one more").error().code() == Errc::overloaded);
        CHECK(pages.open("key 0").has_value());
        pages.changed();
        pages.reading("key 0");
        pages.reading("of nobody");
    }
}
