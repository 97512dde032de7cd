#include "cps/apdu/command.hpp"
#include "support/scripted_card.hpp"

#include <doctest/doctest.h>

using namespace cps;
using test::hex;

namespace {

Bytes sent(const apdu::Command& command)
{
    return copy_of(command.bytes());
}

} // namespace

TEST_SUITE("apdu")
{
    TEST_CASE("a command has the four cases of ISO 7816-4")
    {
        apdu::Command one{{0x00, 0x20, 0x00, 0x01}};
        apdu::Command two{{0x00, 0xB0, 0x00, 0x00}};
        apdu::Command three{{0x00, 0x20, 0x00, 0x01}};
        apdu::Command four{{0x00, 0xA4, 0x04, 0x00}};
        const auto data = hex("31 32");

        two.with_le(256);
        three.with_data(data);
        four.with_data(data).with_le(8);

        CHECK(sent(one) == hex("00 20 00 01"));
        CHECK(sent(two) == hex("00 B0 00 00 00"));
        CHECK(sent(three) == hex("00 20 00 01 02 31 32"));
        CHECK(sent(four) == hex("00 A4 04 00 02 31 32 08"));
    }

    TEST_CASE("over T=0 a command with data goes without its Le, and one without data keeps it")
    {
        apdu::Command two{{0x00, 0xB0, 0x00, 0x00}};
        apdu::Command four{{0x00, 0xA4, 0x04, 0x00}};
        const auto data = hex("31 32");

        two.with_le(8);
        four.with_data(data).with_le(8);

        CHECK(copy_of(two.bytes_for_t0()) == hex("00 B0 00 00 08"));
        CHECK(copy_of(four.bytes_for_t0()) == hex("00 A4 04 00 02 31 32"));
    }

    TEST_CASE("a command refuses what a short one cannot carry")
    {
        apdu::Command command{{0x00, 0xB0, 0x00, 0x00}};
        const Bytes long_data(256, 0xAA);

        CHECK_THROWS_AS(command.with_data({}), Error);
        CHECK_THROWS_AS(command.with_data(long_data), Error);
        CHECK_THROWS_AS(command.with_le(0), Error);
        CHECK_THROWS_AS(command.with_le(257), Error);
    }

    TEST_CASE("a length asked for again replaces the one before")
    {
        apdu::Command command{{0x00, 0xB0, 0x00, 0x00}};

        command.with_le(256).with_le(12);

        CHECK(sent(command) == hex("00 B0 00 00 0C"));
    }
}
