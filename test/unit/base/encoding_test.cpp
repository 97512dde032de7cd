#include "cps/base/encoding.hpp"

#include <doctest/doctest.h>

using namespace cps;

TEST_SUITE("base")
{
    TEST_CASE("base64url gives the examples of RFC 4648 without padding")
    {
        CHECK(to_base64url(octets("")) == "");
        CHECK(to_base64url(octets("f")) == "Zg");
        CHECK(to_base64url(octets("fo")) == "Zm8");
        CHECK(to_base64url(octets("foobar")) == "Zm9vYmFy");
        CHECK(to_base64url(Bytes{0xFB, 0xFF}) == "-_8");
    }

    TEST_CASE("base64url has one spelling for each value")
    {
        CHECK(from_base64url("Zg") == copy_of(octets("f")));
        CHECK_FALSE(from_base64url("Zh"));   // trailing bits set
        CHECK_FALSE(from_base64url("Zg==")); // padding
        CHECK_FALSE(from_base64url("Zg\n"));
        CHECK_FALSE(from_base64url("Z"));
        CHECK_FALSE(from_base64url("+/8A"));
    }

    TEST_CASE("standard base64 wants its padding")
    {
        CHECK(to_base64(octets("fo")) == "Zm8=");
        CHECK(from_base64("Zm8=") == copy_of(octets("fo")));
        CHECK_FALSE(from_base64("Zm8"));
        CHECK_FALSE(from_base64("Zm9="));
        CHECK_FALSE(from_base64("===="));
        CHECK_FALSE(from_base64("Zm8=Zm8="));
    }

    TEST_CASE("hexadecimal reads both cases and spaces, and no odd digit")
    {
        CHECK(to_hex(Bytes{0x00, 0xAB}, ' ') == "00 AB");
        CHECK(to_lower_hex(Bytes{0x09, 0xAF}) == "09af");
        CHECK(from_hex("00 aB\n") == Bytes{0x00, 0xAB});
        CHECK_FALSE(from_hex("0"));
        CHECK_FALSE(from_hex("0 0"));
        CHECK_FALSE(from_hex("0x"));
    }
}
