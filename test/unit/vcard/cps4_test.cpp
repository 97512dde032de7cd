#include "unit/vcard/test_card.hpp"

#include "vcard/tlv.hpp"

#include "cps/base/encoding.hpp"

#include <doctest/doctest.h>

using namespace cps;
using test::ask;
using test::KeyName;
using test::Padding;
using test::verifies;
using vcard::Generation;
using vcard::Hash;

namespace {

constexpr auto open_channel = "01 A4 04 0C 08 80 25 00 00 01 FF 01 00";
constexpr auto verify_pin = "01 20 00 01 08 31 32 33 34 FF FF FF FF";

std::unique_ptr<vcard::Card> open_card()
{
    auto card = test::new_card(Generation::cps4);
    REQUIRE(ask(*card, open_channel) == "90 00");
    return card;
}

Bytes fetch(vcard::Card& card, std::string_view command)
{
    return test::fetch(card, command, "01");
}

} // namespace

TEST_SUITE("vcard")
{
    TEST_CASE("CPS4 answers to reset with T=0 and T=1")
    {
        CHECK(to_hex(test::new_card(Generation::cps4)->atr()) ==
              "3B9B1880010012250064800401000090"
              "44");
    }

    TEST_CASE("CPS4 takes class 01 alone, once SELECT by name has opened the channel")
    {
        const auto card = test::new_card(Generation::cps4);

        CHECK(ask(*card, "00 20 00 01 00") == "6E 00");
        CHECK(ask(*card, "02 20 00 01 00") == "6E 00");
        CHECK(ask(*card, "01 20 00 01 00") == "68 81");
        CHECK(ask(*card, "00 A4 04 0C 08 80 25 00 00 01 FF 00 02") == "90 00");
        CHECK(ask(*card, "01 20 00 01 00") == "68 81");
        CHECK(ask(*card, "01 A4 04 0C 05 A0 00 00 00 01") == "6A 82");
        CHECK(ask(*card, open_channel) == "90 00");
        CHECK(ask(*card, "01 20 00 01 00") == "63 C3");
        CHECK(ask(*card, "00 20 00 01 00") == "6E 00");
    }

    TEST_CASE("CPS4 selects by path below the master file and answers an FCI")
    {
        const auto card = open_card();

        CHECK(ask(*card, "01 A4 08 00 02 D0 03 00").starts_with("6F 25 80 02 00 0C"));
        CHECK(ask(*card, "01 B0 00 00 0C") == "5A 0A 80 25 00 00 01 99 21 48 03 8F 90 00");
        CHECK(ask(*card, "01 A4 08 0C 04 00 01 50 31") == "90 00");
        CHECK(ask(*card, "01 A4 00 0C 02 3F 00") == "90 00");
        CHECK(ask(*card, "01 A4 08 00 04 3F 00 D0 03 00") == "6A 82"); // no leading 3F00
    }

    TEST_CASE("CPS4 answers at once where Le travels, else through GET RESPONSE on its channel")
    {
        const auto card = open_card();
        CHECK(ask(*card, "01 A4 08 00 02 D0 03 00").ends_with("90 00"));
        CHECK(ask(*card, "01 A4 08 00 02 D0 03") == "61 27");
        CHECK(ask(*card, "00 C0 00 00 27") == "6E 00");
        CHECK(ask(*card, "01 C0 00 00 27").starts_with("6F 25"));
    }

    TEST_CASE("CPS4 signs digests with all four algorithms and both keys")
    {
        const auto card = open_card();
        struct Case {
            const char* reference;
            Hash hash;
            Padding padding;
        };
        const Case cases[] = {{"0A", Hash::sha1, Padding::pkcs1},
                              {"28", Hash::sha256, Padding::pkcs1},
                              {"15", Hash::sha1, Padding::pss},
                              {"2C", Hash::sha256, Padding::pss}};
        REQUIRE(ask(*card, verify_pin) == "90 00");

        for (const auto& [reference, hash, padding] : cases)
            for (const auto& [key, name] :
                 {std::pair{"81", KeyName::sign}, {"A0", KeyName::auth}}) {
                CAPTURE(reference);
                CAPTURE(key);
                const auto digest = test::digest_of(hash, octets("message"));
                const Bytes size{static_cast<std::uint8_t>(digest.size())};
                REQUIRE(ask(*card, std::string{"01 22 81 B6 04 91 02"} + reference + key) ==
                        "90 00");
                CHECK(verifies(name, padding, hash, digest,
                               fetch(*card, "01 2A 9E 9A" + to_hex(size) + to_hex(digest))));
                CHECK(ask(*card, "01 2A 9E 9A 01 AA") == "6A 80");
            }
    }

    TEST_CASE("CPS4 signs and deciphers with the bare RSA operation, padding left to the host")
    {
        const auto card = open_card();
        const auto digest = test::digest_of(Hash::sha256, octets("message"));
        const auto padded = test::host_padded(digest);
        const auto first = "11 2A 80 86 FF" + to_hex(ByteView{padded}.first(255));
        const auto second = "01 2A 80 86 01" + to_hex(ByteView{padded}.last(1)) + "00";
        CHECK(ask(*card, "01 2A 80 86 01 AA") == "69 85");
        REQUIRE(ask(*card, "01 22 41 B8 03 83 01 20") == "90 00");
        REQUIRE(ask(*card, first) == "90 00");
        CHECK(ask(*card, second) == "69 82");

        REQUIRE(ask(*card, verify_pin) == "90 00");
        REQUIRE(ask(*card, first) == "90 00");
        CHECK(verifies(KeyName::auth, Padding::pkcs1, Hash::sha256, digest,
                       fetch(*card, second)));

        const auto cryptogram = test::encrypt(KeyName::auth, octets("clear"));
        REQUIRE(ask(*card, "11 2A 80 86 FF" + to_hex(ByteView{cryptogram}.first(255))) ==
                "90 00");
        const auto block =
            fetch(*card, "01 2A 80 86 01" + to_hex(ByteView{cryptogram}.last(1)) + "00");
        CHECK(to_hex(ByteView{block}.first(2)) == "0002");
        CHECK(text_of(ByteView{block}.last(6)) == std::string_view{"\0clear", 6});
        CHECK(ask(*card, "01 2A 80 86 01 AA") == "67 00");
    }

    TEST_CASE("CPS4 does not sign without PIN or environment, or with what it does not know")
    {
        const auto card = open_card();
        const auto sign = "01 2A 9E 9A 20" + to_hex(Bytes(32));

        CHECK(ask(*card, sign) == "69 85");
        REQUIRE(ask(*card, "01 22 81 B6 04 91 02 28 81") == "90 00");
        CHECK(ask(*card, sign) == "69 82");
        CHECK(ask(*card, "01 22 81 B6 04 91 02 99 81") == "6A 80");
        CHECK(ask(*card, "01 22 81 B6 04 91 02 28 85") == "6A 88");
        CHECK(ask(*card, "01 22 81 B6 01 91") == "6A 80");
        CHECK(ask(*card, "01 22 41 B8 03 83 01 01") == "6A 80");
    }

    TEST_CASE("CPS4 changes its PIN, and gives a blocked one back after the PUK")
    {
        const auto card = open_card();
        constexpr auto set_pin = "01 24 01 01 08 34 33 32 31 FF FF FF FF";
        CHECK(ask(*card, set_pin) == "69 82");
        REQUIRE(ask(*card, verify_pin) == "90 00");
        CHECK(ask(*card, set_pin) == "90 00");
        CHECK(ask(*card, "01 20 00 01 08 34 33 32 31 FF FF FF FF") == "90 00");

        card->pins().block_pin();
        CHECK(ask(*card, "01 2C 03 81") == "69 82");
        REQUIRE(ask(*card, "01 20 00 02 08 31 32 33 34 35 36 37 38") == "90 00");
        CHECK(ask(*card, "01 2C 03 81") == "90 00");
        CHECK(ask(*card, "01 20 00 01 00") == "63 C3");
        CHECK(ask(*card, "01 24 01 01 08 31 32 33 34 FF FF FF FF") == "90 00");
        CHECK(ask(*card, verify_pin) == "90 00");
    }

    TEST_CASE("a reset of CPS4 closes the channel and forgets PIN and environment")
    {
        const auto card = open_card();
        REQUIRE(ask(*card, verify_pin) == "90 00");
        REQUIRE(ask(*card, "01 22 81 B6 04 91 02 28 81") == "90 00");

        card->reset();

        CHECK(ask(*card, "01 20 00 01 00") == "68 81");
        REQUIRE(ask(*card, open_channel) == "90 00");
        CHECK(ask(*card, "01 20 00 01 00") == "63 C3");
        CHECK(ask(*card, "01 2A 9E 9A 20" + to_hex(Bytes(32))) == "69 85");
    }
}
