#include "unit/vcard/test_card.hpp"

#include "vcard/contents.hpp"
#include "vcard/pkcs15.hpp"
#include "vcard/tlv.hpp"

#include "cps/base/encoding.hpp"

#include <doctest/doctest.h>

using namespace cps;
using test::ask;
using test::fetch;
using test::new_card;
using vcard::Generation;

TEST_SUITE("vcard")
{
    TEST_CASE("CPS3 answers to reset as published")
    {
        const auto card = new_card(Generation::cps3);

        CHECK(to_hex(card->atr()) == "3BAC00402A00122500648000031000"
                                     "9000");
    }

    TEST_CASE("CPS3 gives EF.ATR and its control parameters as published, through 61xx")
    {
        const auto card = new_card(Generation::cps3);

        CHECK(ask(*card, "00 A4 09 04 04 3F 00 2F 01") == "61 27");
        CHECK(
            ask(*card, "00 C0 00 00 27") ==
            "62 25 80 02 00 39 82 01 01 83 02 2F 01 88 01 E8 A1 12 8C 07 7B 45 FF FF FF 45 00 "
            "9C 07 7B FF FF FF FF FF 00 8A 01 05 90 00");
        CHECK(
            ask(*card, "00 B0 00 00 39") ==
            "80 43 01 B8 46 04 04 B0 EC C1 47 03 94 01 80 4F 08 80 25 00 00 01 FF 01 00 E0 10 "
            "02 02 01 04 02 02 01 04 02 02 01 00 02 02 01 00 78 08 06 06 2B 81 22 F8 78 02 82 "
            "02 90 00 90 00");
    }

    TEST_CASE("CPS3 has an EF.DIR of 101 octets with the contactless record first")
    {
        const auto card = new_card(Generation::cps3);

        CHECK(ask(*card, "00 A4 09 0C 04 3F 00 2F 00") == "90 00");
        const auto content = fetch(*card, "00 B0 00 00 00");

        CHECK(content.size() == 101);
        CHECK(to_hex(ByteView{content}.subspan(4, 13)) == "E828BD080F8025000001FF0020");
    }

    TEST_CASE("the serial number file has Luhn's digit of a published card")
    {
        CHECK(to_hex(vcard::serial_number_file("99214803")) == "5A0A8025000001992148038F");
    }

    TEST_CASE("CPS3 answers 6Cxx to a READ BINARY by short identifier with the wrong length")
    {
        const auto card = new_card(Generation::cps3);

        CHECK(ask(*card, "00 B0 9C 00 C0") == "6C 0C");
        CHECK(ask(*card, "00 B0 9C 00 0C") == "5A 0A 80 25 00 00 01 99 21 48 03 8F 90 00");
        CHECK(ask(*card, "00 B0 81 00 00") == "6A 82");
    }

    TEST_CASE("CPS3 selects as real cards do")
    {
        const auto card = new_card(Generation::cps3);

        SUBCASE("the master file and directories have no FCP")
        {
            CHECK(ask(*card, "00 A4 09 04 02 3F 00") == "90 00");
            CHECK(ask(*card, "00 A4 09 04 04 3F 00 00 01") == "90 00");
            CHECK(ask(*card, "00 A4 04 04 08 80 25 00 00 01 FF 01 00") == "90 00");
            CHECK(ask(*card, "00 A4 04 04 0D E8 28 BD 08 0F 80 25 00 00 01 FF 00 10") ==
                  "90 00");
        }
        SUBCASE("a path wants its leading 3F00")
        {
            CHECK(ask(*card, "00 A4 09 04 02 00 01") == "6A 82");
        }
        SUBCASE("P2 = 00 is refused for identifiers and the IAS name, not for the root name")
        {
            CHECK(ask(*card, "00 A4 02 00 02 2F 01") == "6A 86");
            CHECK(ask(*card, "00 A4 04 00 0D E8 28 BD 08 0F 80 25 00 00 01 FF 00 10") ==
                  "6A 86");
            CHECK(ask(*card, "00 A4 04 00 08 80 25 00 00 01 FF 01 00") == "90 00");
        }
        SUBCASE("an identifier is looked for in the current directory alone")
        {
            CHECK(ask(*card, "00 A4 02 04 02 A0 01") == "6A 82");
            CHECK(ask(*card, "00 A4 09 0C 04 3F 00 00 01") == "90 00");
            CHECK(ask(*card, "00 A4 02 04 02 A0 01") == "61 26");
        }
        SUBCASE("what does not exist is not found")
        {
            CHECK(ask(*card, "00 A4 09 04 04 3F 00 D0 10") == "6A 82");
            CHECK(ask(*card, "00 A4 09 04 06 3F 00 00 02 50 31") == "6A 82");
            CHECK(ask(*card, "00 A4 04 0C 05 A0 00 00 00 01") == "6A 82");
        }
    }

    TEST_CASE("CPS3 gives a certificate back in pieces, short at the end, 6B00 behind it")
    {
        const auto card = new_card(Generation::cps3);
        const auto data = test::card_data(Generation::cps3);
        REQUIRE(ask(*card, "00 A4 09 0C 06 3F 00 00 01 A0 02") == "90 00");

        Bytes certificate;
        for (unsigned offset = 0; offset < data.auth_certificate.size(); offset += 0x100) {
            const Bytes read{0x00, 0xB0, static_cast<std::uint8_t>(offset >> 8),
                             static_cast<std::uint8_t>(offset & 0xFFU), 0x00};
            certificate = vcard::join(certificate, fetch(*card, to_hex(read)));
        }

        CHECK(certificate == data.auth_certificate);
        CHECK(ask(*card, "00 B0 08 98 00") == "6B 00");
        CHECK(ask(*card, "00 B0 7F FF 01") == "6B 00");
    }

    TEST_CASE("CPS3 has the published AODF, faults included")
    {
        const auto aodf = vcard::pkcs15::aodf();

        CHECK(aodf.size() == 189);
        CHECK(to_hex(ByteView{aodf}.subspan(34, 6)) == "030108040102"); // no DER; authId 02
        CHECK(to_hex(ByteView{aodf}.last(10)) == "08020108020108800102");
    }

    TEST_CASE("CPS3 reads activities and writes CPS_DATA after the PIN alone")
    {
        const auto card = new_card(Generation::cps3);
        REQUIRE(ask(*card, "00 A4 09 0C 06 3F 00 00 01 D1 20") == "90 00");
        CHECK(ask(*card, "00 B0 00 00 00") == "69 82");
        REQUIRE(ask(*card, "00 A4 09 0C 06 3F 00 00 01 D1 07") == "90 00");
        CHECK(ask(*card, "00 B0 00 00 02") == "00 00 90 00");
        CHECK(ask(*card, "00 D6 00 00 02 AA BB") == "69 82");

        REQUIRE(ask(*card, "00 20 00 01 08 31 32 33 34 FF FF FF FF") == "90 00");

        CHECK(ask(*card, "00 D6 00 00 02 AA BB") == "90 00");
        CHECK(ask(*card, "00 B0 00 00 02") == "AA BB 90 00");
        CHECK(ask(*card, "00 D6 00 3F 02 AA BB") == "67 00"); // one octet too far
        REQUIRE(ask(*card, "00 A4 09 0C 06 3F 00 00 01 D1 20") == "90 00");
        CHECK(!fetch(*card, "00 B0 00 00 00").empty());
        REQUIRE(ask(*card, "00 A4 09 0C 06 3F 00 00 01 A0 01") == "90 00");
        CHECK(ask(*card, "00 D6 00 00 02 AA BB") == "69 82"); // the issuer's alone
    }

    TEST_CASE("CPS3 describes PIN and PUK as published, under the master file alone")
    {
        const auto card = new_card(Generation::cps3);
        constexpr auto pin = "00 CB 3F FF 0A 4D 08 70 06 BF 81 01 02 A0 80";

        CHECK(to_hex(fetch(*card, pin)) == "7016BF810112A0109A01039B0103A1088C06F3000013FF00");
        CHECK(to_hex(fetch(*card, "00 CB 3F FF 0A 4D 08 70 06 BF 81 02 02 A0 80")) ==
              "701ABF810216A0149A010A9B010A9D020064A1088C06F3FF00FFFF00");
        CHECK(ask(*card, "00 CB 3F FF 0A 4D 08 70 06 BF 90 01 02 A0 80") == "6A 88");

        REQUIRE(ask(*card, "00 A4 09 0C 04 3F 00 00 01") == "90 00");
        CHECK(ask(*card, pin) == "6A 88");
        CHECK(to_hex(fetch(*card, "00 CB 3F FF 0A 4D 08 70 06 BF 90 02 02 A0 80")) ==
              "7016BF900212A010A1078C05331111FF00800201009E0100");
    }

    TEST_CASE("CPS3 gives eight random octets, other ones each time")
    {
        const auto card = new_card(Generation::cps3);

        const auto first = fetch(*card, "00 84 00 00 08");

        CHECK(first.size() == 8);
        CHECK(first != fetch(*card, "00 84 00 00 08"));
    }

    TEST_CASE("a contactless CPS3 shows its technical key, which wants no code, and no PIN")
    {
        const auto card = new_card(Generation::cps3, vcard::Interface::contactless);

        CHECK(to_hex(card->atr()) == "3B8F80010031B86404B0ECC1739401808290000E");
        CHECK(ask(*card, "00 20 00 01 00") == "6A 88");
        CHECK(ask(*card, "00 A4 09 0C 04 3F 00 00 01") == "6A 82");
        REQUIRE(ask(*card, "00 A4 09 0C 04 3F 00 00 02") == "90 00");
        CHECK(ask(*card, "00 22 41 B6 06 80 01 42 84 01 81") == "6A 88");
        REQUIRE(ask(*card, "00 22 41 A4 06 80 01 02 84 01 82") == "90 00");
        const auto digest = test::digest_of(vcard::Hash::sha256, octets("message"));
        const auto signature =
            fetch(*card, "00 88 00 00 33" + to_hex(test::digest_info(digest)) + "00");
        CHECK(test::verifies(test::KeyName::auth, test::Padding::pkcs1, vcard::Hash::sha256,
                             digest, signature));
    }
}
