#include "cps/apdu/tlv.hpp"
#include "support/scripted_card.hpp"

#include <doctest/doctest.h>

using namespace cps;
using test::hex;

TEST_SUITE("apdu")
{
    TEST_CASE("data objects are read in turn, with tags and lengths of several octets")
    {
        const auto bytes = hex("80 02 01 00  7F 49 81 01 AA  5F 20 00");
        apdu::TlvReader reader{bytes};

        const auto first = reader.next();
        const auto second = reader.next();
        const auto third = reader.next();

        CHECK(first.tag == 0x80);
        CHECK(copy_of(first.value) == hex("01 00"));
        CHECK(second.tag == 0x7F49);
        CHECK(copy_of(second.value) == hex("AA"));
        CHECK(copy_of(second.whole) == hex("7F 49 81 01 AA"));
        CHECK(third.tag == 0x5F20);
        CHECK(third.value.empty());
        CHECK(reader.at_end());
    }

    TEST_CASE("an object that does not fit is refused")
    {
        for (const auto* text : {"80", "80 02 01", "80 80 00 00", "7F", "7F 81 81 01 00",
                                 "80 85 01 00 00 00 00", "80 84 FF FF FF FF"}) {
            CAPTURE(text);
            const auto bytes = hex(text);
            apdu::TlvReader reader{bytes};

            CHECK_THROWS_AS(reader.next(), Error);
        }
    }

    TEST_CASE("an object of another tag is left where it is")
    {
        const auto bytes = hex("04 01 07");
        apdu::TlvReader reader{bytes};

        CHECK_FALSE(reader.next_if(0x30));
        CHECK(copy_of(reader.expect(0x04)) == hex("07"));
        CHECK_FALSE(reader.next_if(0x04));
    }

    TEST_CASE("an object is found by its tag among its siblings")
    {
        const auto bytes = hex("82 01 01 80 02 00 0C 80 01 FF");

        CHECK(copy_of(apdu::find_tlv(bytes, 0x80)->value) == hex("00 0C"));
        CHECK_FALSE(apdu::find_tlv(bytes, 0x81));
    }
}
