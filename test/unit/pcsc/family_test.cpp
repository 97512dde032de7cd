#include "cps/pcsc/card.hpp"
#include "support/scripted_card.hpp"

#include <doctest/doctest.h>

using namespace cps;
using pcsc::Family;
using test::hex;

TEST_SUITE("pcsc")
{
    TEST_CASE("every published answer to reset is known for its family")
    {
        const auto family = [](const char* atr) { return pcsc::family_of(hex(atr)); };

        CHECK(family("3B AC 00 40 2A 00 12 25 00 64 80 00 03 10 00 90 00") == Family::cps3);
        CHECK(family("3B 8F 80 01 00 31 B8 64 04 B0 EC C1 73 94 01 80 82 90 00 0E") ==
              Family::cps3_contactless);
        CHECK(family("3B 9B 18 80 01 00 12 25 00 64 80 04 01 00 00 90 44") == Family::cps4);
        CHECK(family("3B 9B 18 80 01 00 12 25 00 64 80 00 04 01 00 90 44") == Family::cps4);
        CHECK(family("3B DC 18 FF 00 00 12 25 00 64 80 00 04 01 00 90 00") == Family::cps4);
    }

    TEST_CASE("a CPS3 of another version and other interface octets is a CPS3")
    {
        CHECK(pcsc::family_of(hex("3B 9C 11 40 00 00 12 25 00 64 80 01 02 03 00 90 00")) ==
              Family::cps3);
    }

    TEST_CASE("other cards are unknown")
    {
        CHECK(pcsc::family_of({}) == Family::unknown);
        CHECK(pcsc::family_of(hex("3B 00")) == Family::unknown);
        CHECK(pcsc::family_of(hex("3B AC 00 40 2A 00 12 25 00 64 80 00 03 10 00 90")) ==
              Family::unknown);
        CHECK(pcsc::family_of(hex("3B AC 00 40 2A 00 12 26 00 64 80 00 03 10 00 90 00")) ==
              Family::unknown);
    }
}
