#include "unit/vcard/test_card.hpp"

#include "cps/base/error.hpp"

#include <doctest/doctest.h>

using namespace cps;
using test::ask;
using test::new_card;
using vcard::Generation;

namespace {

constexpr auto status = "00 20 00 01 00";
constexpr auto right_pin = "00 20 00 01 08 31 32 33 34 FF FF FF FF";
constexpr auto wrong_pin = "00 20 00 01 08 39 39 39 39 FF FF FF FF";
constexpr auto right_puk = "00 20 00 02 08 31 32 33 34 35 36 37 38";
constexpr auto wrong_puk = "00 20 00 02 08 39 39 39 39 35 36 37 38";
constexpr auto other_pin = "00 20 00 01 08 34 33 32 31 FF FF FF FF";

} // namespace

TEST_SUITE("vcard")
{
    TEST_CASE("VERIFY without data tells the tries left and costs none")
    {
        const auto card = new_card(Generation::cps3);

        CHECK(ask(*card, status) == "63 C3");
        CHECK(ask(*card, "00 20 00 01") == "63 C3"); // as T=1 has it
        CHECK(ask(*card, "00 20 00 02 00") == "63 CA");
        CHECK(ask(*card, status) == "63 C3");
        REQUIRE(ask(*card, right_pin) == "90 00");
        CHECK(ask(*card, status) == "90 00");
        CHECK(ask(*card, "00 20 00 03 00") == "6A 88");
    }

    TEST_CASE("three wrong PINs block, and then the right one is refused too")
    {
        const auto card = new_card(Generation::cps3);

        CHECK(ask(*card, wrong_pin) == "63 C2");
        CHECK(ask(*card, wrong_pin) == "63 C1");
        CHECK(ask(*card, wrong_pin) == "69 83");
        CHECK(ask(*card, right_pin) == "69 83");
        CHECK(ask(*card, status) == "69 83");
    }

    TEST_CASE("a wrong PIN takes the security status away, a right one gives the tries back")
    {
        const auto card = new_card(Generation::cps3);
        REQUIRE(ask(*card, right_pin) == "90 00");

        CHECK(ask(*card, wrong_pin) == "63 C2");
        CHECK(ask(*card, status) == "63 C2");
        CHECK(ask(*card, right_pin) == "90 00");
        card->reset();
        CHECK(ask(*card, status) == "63 C3");
    }

    TEST_CASE("a PIN of the wrong length costs no try, an unpadded right one does")
    {
        const auto card = new_card(Generation::cps3);

        CHECK(ask(*card, "00 20 00 01 04 31 32 33 34") == "67 00");
        CHECK(ask(*card, status) == "63 C3");
        CHECK(ask(*card, "00 20 00 01 08 31 32 33 34 00 00 00 00") == "63 C2");
    }

    TEST_CASE("CHANGE REFERENCE DATA takes old and new, and four digits alone")
    {
        const auto card = new_card(Generation::cps3);
        const std::string both = "00 24 00 01 10 31 32 33 34 FF FF FF FF";

        CHECK(ask(*card, both + "34 33 32 41 FF FF FF FF") == "6A 80");
        CHECK(ask(*card, both + "34 33 32 31 35 FF FF FF") == "6A 80");
        CHECK(ask(*card, both + "34 33 32 31 FF FF FF FF") == "90 00");
        card->reset();
        CHECK(ask(*card, right_pin) == "63 C2");
        CHECK(ask(*card, other_pin) == "90 00");
        CHECK(ask(*card, both + "34 33 32 31 FF FF FF FF") == "63 C2"); // the old one is wrong
    }

    TEST_CASE("a new PIN alone wants the old one verified")
    {
        const auto card = new_card(Generation::cps3);
        constexpr auto change = "00 24 01 01 08 34 33 32 31 FF FF FF FF";

        CHECK(ask(*card, change) == "69 82");
        REQUIRE(ask(*card, right_pin) == "90 00");
        CHECK(ask(*card, change) == "90 00");
        CHECK(ask(*card, other_pin) == "90 00");
    }

    TEST_CASE("the PUK unblocks a blocked PIN with a new one")
    {
        const auto card = new_card(Generation::cps3);
        constexpr auto unblock = "00 2C 02 01 08 34 33 32 31 FF FF FF FF";
        card->pins().block_pin();
        REQUIRE(ask(*card, status) == "69 83");

        CHECK(ask(*card, unblock) == "69 82");
        REQUIRE(ask(*card, right_puk) == "90 00");
        CHECK(ask(*card, unblock) == "90 00");
        CHECK(ask(*card, status) == "63 C3");
        CHECK(ask(*card, other_pin) == "90 00");
    }

    TEST_CASE("ten wrong PUKs block it for ever")
    {
        const auto card = new_card(Generation::cps3);
        for (int i = 0; i != 9; ++i)
            ask(*card, wrong_puk);

        CHECK(ask(*card, "00 20 00 02 00") == "63 C1");
        CHECK(ask(*card, wrong_puk) == "69 83");
        CHECK(ask(*card, right_puk) == "69 83");
    }

    TEST_CASE("the PUK works a hundred times")
    {
        const auto card = new_card(Generation::cps3);
        for (int i = 0; i != 100; ++i)
            REQUIRE(ask(*card, right_puk) == "90 00");

        CHECK(ask(*card, right_puk) == "69 83");
    }

    TEST_CASE("a code is digits of the right number")
    {
        CHECK_THROWS_AS(vcard::padded_code("123", vcard::pin_digits), Error);
        CHECK_THROWS_AS(vcard::padded_code("12a4", vcard::pin_digits), Error);
        CHECK_THROWS_AS(vcard::padded_code("1234", vcard::puk_digits), Error);
    }
}
