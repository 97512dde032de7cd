#include "unit/vcard/test_card.hpp"

#include "vcard/resumed_hash.hpp"
#include "vcard/tlv.hpp"

#include "cps/base/encoding.hpp"

#include <doctest/doctest.h>

using namespace cps;
using test::ask;
using test::fetch;
using test::KeyName;
using test::new_card;
using test::Padding;
using test::verifies;
using vcard::Generation;
using vcard::Hash;

namespace {

constexpr auto verify_pin = "00 20 00 01 08 31 32 33 34 FF FF FF FF";
constexpr auto use_auth_key = "00 22 41 A4 06 80 01 02 84 01 82";
constexpr auto use_sign_key_sha256 = "00 22 41 B6 06 80 01 42 84 01 81";
constexpr auto use_auth_key_to_decipher = "00 22 41 B8 06 80 01 1A 84 01 82";

std::unique_ptr<vcard::Card> signed_in_card()
{
    auto card = new_card(Generation::cps3);
    REQUIRE(ask(*card, verify_pin) == "90 00");
    return card;
}

/// SHA-256's state after 2,048 bits of letters A.
constexpr auto four_blocks_of_a =
    "4AACB399610BD2272E523471B9D5C97AC02D95B4495F227F1D890C6A853EAE6A";

} // namespace

TEST_SUITE("vcard")
{
    TEST_CASE("CPS3 signs with INTERNAL AUTHENTICATE what the authentication key is given")
    {
        const auto card = signed_in_card();
        const auto digest = test::digest_of(Hash::sha256, octets("message"));
        REQUIRE(ask(*card, use_auth_key) == "90 00");

        const auto signature =
            fetch(*card, "00 88 00 00 33" + to_hex(test::digest_info(digest)));

        CHECK(verifies(KeyName::auth, Padding::pkcs1, Hash::sha256, digest, signature));
    }

    TEST_CASE("CPS3 hands a signature out in the pieces that GET RESPONSE asks for")
    {
        const auto card = signed_in_card();
        REQUIRE(ask(*card, use_auth_key) == "90 00");
        REQUIRE(ask(*card, "00 88 00 00 01 AA") == "61 00");

        const auto first = card->process(vcard::octets_of_hex("00 C0 00 00 E7"));
        const auto rest = card->process(vcard::octets_of_hex("00 C0 00 00 19"));

        CHECK(first.size() == 0xE7 + 2);
        CHECK(to_hex(ByteView{first}.last(2)) == "6119");
        CHECK(rest.size() == 0x19 + 2);
        CHECK(to_hex(ByteView{rest}.last(2)) == "9000");
        CHECK(ask(*card, "00 C0 00 00 19") == "69 85");
    }

    TEST_CASE("CPS3 refuses to authenticate without PIN, without MSE, or over 102 octets")
    {
        const auto card = new_card(Generation::cps3);
        CHECK(ask(*card, "00 88 00 00 01 AA") == "69 85");
        REQUIRE(ask(*card, use_auth_key) == "90 00");
        CHECK(ask(*card, "00 88 00 00 01 AA") == "69 82");
        REQUIRE(ask(*card, verify_pin) == "90 00");
        CHECK(ask(*card, "00 88 00 00 67" + to_hex(Bytes(0x67))) == "67 00");
        CHECK(ask(*card, "00 88 00 00 66" + to_hex(Bytes(0x66))) == "61 00");
    }

    TEST_CASE("CPS3's signature key signs a digest from outside, SHA-1 and SHA-256")
    {
        const auto card = signed_in_card();
        const auto sha256 = test::digest_of(Hash::sha256, octets("message"));
        const auto sha1 = test::digest_of(Hash::sha1, octets("message"));

        REQUIRE(ask(*card, use_sign_key_sha256) == "90 00");
        CHECK(verifies(KeyName::sign, Padding::pkcs1, Hash::sha256, sha256,
                       fetch(*card, "00 2A 9E 9A 20" + to_hex(sha256))));
        CHECK(ask(*card, "00 2A 9E 9A 14" + to_hex(sha1)) == "6A 80");

        REQUIRE(ask(*card, "00 22 41 B6 06 84 01 81 80 01 12") == "90 00"); // either order
        CHECK(verifies(KeyName::sign, Padding::pkcs1, Hash::sha1, sha1,
                       fetch(*card, "00 2A 9E 9A 14" + to_hex(sha1))));
    }

    TEST_CASE("CPS3's signature key does not sign without PIN, and never with key 82")
    {
        const auto card = new_card(Generation::cps3);
        const auto sign = "00 2A 9E 9A 20" + to_hex(Bytes(32));
        CHECK(ask(*card, sign) == "69 85");
        REQUIRE(ask(*card, use_sign_key_sha256) == "90 00");
        CHECK(ask(*card, sign) == "69 82");
        REQUIRE(ask(*card, verify_pin) == "90 00");
        REQUIRE(ask(*card, "00 22 41 B6 06 80 01 42 84 01 82") == "90 00");
        CHECK(ask(*card, sign) == "69 85");
        CHECK(ask(*card, "00 22 41 B6 06 80 01 42 84 01 83") == "6A 88");
    }

    TEST_CASE("CPS3 ends a hash that the host began, and signs it once")
    {
        const auto card = signed_in_card();
        const std::string message(4 * 64 + 44, 'A');
        REQUIRE(ask(*card, "00 22 41 AA 03 80 01 40") == "90 00");

        REQUIRE(ask(*card, std::string{"00 2A 90 A0 58 90 28"} + four_blocks_of_a +
                               "0000000000000800 80 2C" + to_hex(Bytes(44, 'A'))) == "90 00");
        REQUIRE(ask(*card, use_sign_key_sha256) == "90 00");
        const auto signature = fetch(*card, "00 2A 9E 9A 00");

        CHECK(verifies(KeyName::sign, Padding::pkcs1, Hash::sha256,
                       test::digest_of(Hash::sha256, octets(message)), signature));
        CHECK(ask(*card, "00 2A 9E 9A 00") == "69 85");
    }

    TEST_CASE("CPS3 hashes a message shorter than a block wholly, SHA-1 and SHA-256")
    {
        const auto card = signed_in_card();
        REQUIRE(ask(*card, "00 22 41 AA 03 80 01 10") == "90 00");
        REQUIRE(ask(*card, "00 2A 90 A0 07 90 00 80 03 61 62 63") == "90 00");
        REQUIRE(ask(*card, "00 22 41 B6 06 80 01 12 84 01 81") == "90 00");
        CHECK(verifies(KeyName::sign, Padding::pkcs1, Hash::sha1,
                       test::digest_of(Hash::sha1, octets("abc")),
                       fetch(*card, "00 2A 9E 9A 00")));

        REQUIRE(ask(*card, "00 22 41 AA 03 80 01 10") == "90 00");
        REQUIRE(ask(*card, "00 2A 90 A0 07 90 00 80 03 61 62 63") == "90 00");
        REQUIRE(ask(*card, use_sign_key_sha256) == "90 00");
        CHECK(ask(*card, "00 2A 9E 9A 00") == "69 85"); // a digest of another kind
    }

    TEST_CASE("a begun hash must be whole blocks, and something must be left for the card")
    {
        const auto state = vcard::octets_of_hex(four_blocks_of_a);
        const auto begun = vcard::join(state, vcard::octets_of_hex("0000000000000800"));
        const auto odd = vcard::join(state, vcard::octets_of_hex("0000000000000808"));

        CHECK(vcard::finish_hash(Hash::sha256, begun, Bytes(64)));
        CHECK_FALSE(vcard::finish_hash(Hash::sha256, begun, {}));
        CHECK_FALSE(vcard::finish_hash(Hash::sha256, begun, Bytes(65)));
        CHECK_FALSE(vcard::finish_hash(Hash::sha256, odd, Bytes(1)));
        CHECK_FALSE(vcard::finish_hash(Hash::sha256, state, Bytes(1)));
        CHECK_FALSE(vcard::finish_hash(Hash::sha1, begun, Bytes(1)));
    }

    TEST_CASE("CPS3 deciphers 81 and a cryptogram that arrive in two blocks")
    {
        const auto card = signed_in_card();
        const auto sent =
            vcard::join(Bytes{0x81}, test::encrypt(KeyName::auth, octets("clear")));
        const auto first = "10 2A 80 86 FF" + to_hex(ByteView{sent}.first(255));
        const auto second = "00 2A 80 86 02" + to_hex(ByteView{sent}.last(2));
        REQUIRE(ask(*card, use_auth_key_to_decipher) == "90 00");

        REQUIRE(ask(*card, first) == "90 00");
        CHECK(ask(*card, second) == "61 05");
        CHECK(ask(*card, "00 C0 00 00 05") == "63 6C 65 61 72 90 00");

        SUBCASE("not when another command came in between")
        {
            REQUIRE(ask(*card, first) == "90 00");
            REQUIRE(ask(*card, "00 20 00 01 00") == "90 00");
            CHECK(ask(*card, second) == "6A 80");
        }
        SUBCASE("not without the PIN")
        {
            card->reset();
            REQUIRE(ask(*card, use_auth_key_to_decipher) == "90 00");
            REQUIRE(ask(*card, first) == "90 00");
            CHECK(ask(*card, second) == "69 82");
        }
        SUBCASE("not what another key enciphered")
        {
            const auto other =
                vcard::join(Bytes{0x81}, test::encrypt(KeyName::sign, octets("clear")));
            REQUIRE(ask(*card, "10 2A 80 86 FF" + to_hex(ByteView{other}.first(255))) ==
                    "90 00");
            CHECK(ask(*card, "00 2A 80 86 02" + to_hex(ByteView{other}.last(2))) == "6A 80");
        }
    }

    TEST_CASE("CPS3 chains nothing but a cryptogram, and not without end")
    {
        const auto card = signed_in_card();
        CHECK(ask(*card, "10 88 00 00 01 AA") == "68 84");
        REQUIRE(ask(*card, use_auth_key_to_decipher) == "90 00");
        const auto block = "10 2A 80 86 FF" + to_hex(Bytes(255));
        CHECK(ask(*card, block) == "90 00");
        CHECK(ask(*card, block) == "90 00");
        CHECK(ask(*card, block) == "67 00");
    }

    TEST_CASE("a reset of CPS3 forgets PIN, environment, hash, pending answer and selection")
    {
        const auto card = signed_in_card();
        REQUIRE(ask(*card, "00 A4 09 0C 06 3F 00 00 01 A0 01") == "90 00");
        REQUIRE(ask(*card, use_sign_key_sha256) == "90 00");
        REQUIRE(ask(*card, use_auth_key) == "90 00");
        REQUIRE(ask(*card, "00 22 41 AA 03 80 01 40") == "90 00");
        REQUIRE(ask(*card, "00 2A 90 A0 07 90 00 80 03 61 62 63") == "90 00");
        REQUIRE(ask(*card, "00 88 00 00 01 AA") == "61 00");

        card->reset();

        CHECK(ask(*card, "00 C0 00 00 00") == "69 85");
        CHECK(ask(*card, "00 20 00 01 00") == "63 C3");
        CHECK(ask(*card, "00 B0 00 00 00") == "69 86");
        REQUIRE(ask(*card, verify_pin) == "90 00");
        CHECK(ask(*card, "00 88 00 00 01 AA") == "69 85");
        CHECK(ask(*card, "00 2A 9E 9A 00") == "69 85");
        REQUIRE(ask(*card, use_sign_key_sha256) == "90 00");
        CHECK(ask(*card, "00 2A 9E 9A 00") == "69 85");
    }
}
