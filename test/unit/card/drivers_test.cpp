#include "cps/base/error.hpp"
#include "cps/card/card.hpp"
#include "support/scripted_card.hpp"

#include <doctest/doctest.h>

using namespace cps;
using card::PinOutcome;
using card::PinRole;
using card::Scheme;
using crypto::DigestAlgorithm;
using test::hex;
using test::ScriptedCard;

namespace {

const auto sha256_of_nothing =
    "E3 B0 C4 42 98 FC 1C 14 9A FB F4 C8 99 6F B9 24 27 AE 41 E4 64 9B 93 4C A4 95 99 1B 78 52 "
    "B8 55";

std::string octets_256(const char* octet)
{
    std::string text;
    for (int i = 0; i != 256; ++i)
        text += octet;
    return text;
}

card::PrivateKey key(card::KeyRole role, std::uint8_t reference)
{
    return {hex("01"), "key", role, role == card::KeyRole::authentication, reference, 2048};
}

Pin padded(std::string_view digits)
{
    return card::pad_pin(octets(digits), card::PinFormat{});
}

} // namespace

TEST_SUITE("card")
{
    TEST_CASE("a CPS3 tells its serial number in two commands")
    {
        ScriptedCard channel{{"00 A4 09 0C 04 3F 00 D0 03", "90 00"},
                             {"00 B0 00 00 00", "5A 0A 80 25 00 00 01 99 21 48 03 8F 90 00"}};
        const auto cps3 = card::driver_for(card::Generation::cps3);

        CHECK(cps3->serial(channel) == "99214803");
        CHECK(channel.finished());
    }

    TEST_CASE("a card of another issuer is no CPS")
    {
        ScriptedCard channel{{"00 A4 09 0C 04 3F 00 D0 03", "90 00"},
                             {"00 B0 00 00 00", "5A 0A 80 26 00 00 01 99 21 48 03 8F 90 00"}};
        const auto cps3 = card::driver_for(card::Generation::cps3);

        CHECK_THROWS_AS(cps3->serial(channel), Error);
    }

    TEST_CASE("a CPS3 signs a DigestInfo with the authentication key in four commands")
    {
        ScriptedCard channel{{"00 A4 09 0C 04 3F 00 00 01", "90 00"},
                             {"00 22 41 A4 06 80 01 02 84 01 82", "90 00"},
                             {"00 88 00 00 02 AA BB 00", "61 00"},
                             {"00 C0 00 00 00", octets_256("5A") + "90 00"}};
        const auto cps3 = card::driver_for(card::Generation::cps3);
        cps3->begin();

        const auto signature =
            cps3->sign(channel, key(card::KeyRole::authentication, 0x82), Scheme::pkcs1_t,
                       DigestAlgorithm::sha256, hex("AA BB"));

        CHECK(signature == Bytes(256, 0x5A));
        CHECK(channel.finished());
    }

    TEST_CASE("the application is selected once in a transaction, and again in the next")
    {
        ScriptedCard channel{};
        for (int transaction = 0; transaction != 2; ++transaction) {
            channel.expect("00 A4 09 0C 04 3F 00 00 01", "90 00");
            for (int signature = 0; signature != 2; ++signature) {
                channel.expect("00 22 41 A4 06 80 01 02 84 01 82", "90 00");
                channel.expect("00 88 00 00 01 AA 00", octets_256("5A") + "90 00");
            }
        }
        const auto cps3 = card::driver_for(card::Generation::cps3);

        for (int transaction = 0; transaction != 2; ++transaction) {
            cps3->begin();
            for (int signature = 0; signature != 2; ++signature)
                cps3->sign(channel, key(card::KeyRole::authentication, 0x82), Scheme::pkcs1_t,
                           DigestAlgorithm::sha256, hex("AA"));
        }

        CHECK(channel.finished());
    }

    TEST_CASE("a CPS3's signature key signs a digest, SHA-1 or SHA-256 alone")
    {
        ScriptedCard channel{{"00 A4 09 0C 04 3F 00 00 01", "90 00"},
                             {"00 22 41 B6 06 80 01 42 84 01 81", "90 00"},
                             {std::string{"00 2A 9E 9A 20"} + sha256_of_nothing + "00",
                              octets_256("5A") + "90 00"}};
        const auto cps3 = card::driver_for(card::Generation::cps3);
        const auto signature_key = key(card::KeyRole::signature, 0x81);
        cps3->begin();

        cps3->sign(channel, signature_key, Scheme::pkcs1_digest, DigestAlgorithm::sha256,
                   hex(sha256_of_nothing));

        CHECK(channel.finished());
        CHECK_FALSE(
            cps3->can_sign(signature_key, Scheme::pkcs1_digest, DigestAlgorithm::sha512));
        CHECK_FALSE(cps3->can_sign(signature_key, Scheme::pkcs1_t, DigestAlgorithm::sha256));
        CHECK_FALSE(cps3->can_sign(signature_key, Scheme::pss_digest, DigestAlgorithm::sha256));
    }

    TEST_CASE("a T above 102 octets does not reach a CPS3")
    {
        ScriptedCard channel{};
        const auto cps3 = card::driver_for(card::Generation::cps3);
        const Bytes long_t(103, 0x01);

        CHECK_THROWS_AS(cps3->sign(channel, key(card::KeyRole::authentication, 0x82),
                                   Scheme::pkcs1_t, DigestAlgorithm::sha256, long_t),
                        Error);
    }

    TEST_CASE("a PIN is sent once, whatever the card says")
    {
        const std::pair<const char*, PinOutcome> answers[] = {
            {"90 00", {PinOutcome::accepted, 0}},
            {"63 C2", {PinOutcome::wrong, 2}},
            {"63 C0", {PinOutcome::blocked, 0}},
            {"69 83", {PinOutcome::blocked, 0}}};
        for (const auto& [answer, outcome] : answers) {
            CAPTURE(answer);
            ScriptedCard channel{{"00 20 00 01 08 31 32 33 34 FF FF FF FF", answer}};
            const auto cps3 = card::driver_for(card::Generation::cps3);
            const auto pin = padded("1234");

            CHECK(cps3->verify(channel, PinRole::user, pin.bytes()) == outcome);
            CHECK(channel.finished());
        }
    }

    TEST_CASE("a wrong old PIN is not followed by a change")
    {
        ScriptedCard channel{{"00 20 00 01 08 31 32 33 34 FF FF FF FF", "63 C1"}};
        const auto cps3 = card::driver_for(card::Generation::cps3);
        const auto before = padded("1234");
        const auto after = padded("4321");

        CHECK(cps3->change_pin(channel, before.bytes(), after.bytes()) ==
              PinOutcome{PinOutcome::wrong, 1});
        CHECK(channel.finished());
    }

    TEST_CASE("a PIN of another form is refused before the card sees it")
    {
        for (const auto* pin : {"", "123", "12345", "12a4", "\xD9\xA1\xD9\xA2"})
            CHECK_FALSE(card::well_formed(octets(pin), card::PinFormat{}));
        CHECK(card::well_formed(octets("0000"), card::PinFormat{}));
        CHECK_THROWS_AS(card::pad_pin(octets("123"), card::PinFormat{}), Error);
    }

    TEST_CASE("a CPS4 that has lost its channel gets it back, and the command once more")
    {
        ScriptedCard channel{{"01 20 00 01", "68 81"},
                             {"01 A4 04 0C 08 80 25 00 00 01 FF 01 00", "90 00"},
                             {"01 20 00 01", "63 C3"}};
        const auto cps4 = card::driver_for(card::Generation::cps4);

        CHECK(cps4->pin_status(channel, PinRole::user).tries_left == 3);
        CHECK(channel.finished());
    }

    TEST_CASE("a CPS4 signs PSS by its own references, the key's bit 80 set")
    {
        ScriptedCard channel{{"01 A4 08 00 04 00 01 50 32 00", "6F 04 80 02 00 10 90 00"},
                             {"01 22 81 B6 04 91 02 2C A0", "90 00"},
                             {std::string{"01 2A 9E 9A 20"} + sha256_of_nothing + "00",
                              octets_256("5A") + "90 00"}};
        const auto cps4 = card::driver_for(card::Generation::cps4);
        cps4->begin();

        cps4->sign(channel, key(card::KeyRole::authentication, 0x20), Scheme::pss_digest,
                   DigestAlgorithm::sha256, hex(sha256_of_nothing));

        CHECK(channel.finished());
    }

    TEST_CASE("a CPS4's clear text comes without its padding, and wrong padding is told")
    {
        std::string good = "00 02";
        for (int i = 0; i != 250; ++i)
            good += "11";
        good += "00 41 42 43";
        std::string short_padding = "00 02 11 11 00";
        for (int i = 0; i != 251; ++i)
            short_padding += "41";
        const std::pair<std::string, std::optional<Bytes>> blocks[] = {
            {good, hex("41 42 43")},
            {"00 01" + good.substr(5), std::nullopt},
            {short_padding, std::nullopt}};
        for (const auto& [clear, wanted] : blocks) {
            std::string first = "11 2A 80 86 FF";
            for (int i = 0; i != 255; ++i)
                first += "00";
            ScriptedCard channel{{"01 A4 08 00 04 00 01 50 32 00", "6F 04 80 02 00 10 90 00"},
                                 {"01 22 41 B8 03 83 01 20", "90 00"},
                                 {first, "90 00"},
                                 {"01 2A 80 86 01 00 00", clear + "90 00"}};
            const auto cps4 = card::driver_for(card::Generation::cps4);
            cps4->begin();

            CHECK(cps4->decipher(channel, key(card::KeyRole::authentication, 0x20),
                                 Bytes(256, 0x00)) == wanted);
        }
    }

    TEST_CASE("a certificate is read to its end and not beyond")
    {
        std::string first = "30 82 00 FE";
        for (int i = 0; i != 252; ++i)
            first += "AA";
        ScriptedCard channel{{"00 A4 09 0C 06 3F 00 00 01 A0 02", "90 00"},
                             {"00 B0 00 00 00", first + "90 00"},
                             {"00 B0 01 00 02", "BB BB 90 00"}};
        const auto cps3 = card::driver_for(card::Generation::cps3);

        const auto file = cps3->read(channel, {0x00, 0x01, 0xA0, 0x02});

        CHECK(file.size() == 258);
        CHECK(channel.finished());
    }

    TEST_CASE("a file without an end is given up")
    {
        struct Endless final : apdu::Channel {
            apdu::Response exchange(const apdu::Command& command) override
            {
                ++commands;
                return {command.header().ins == 0xB0 ? Bytes(256, 0x55) : Bytes{},
                        apdu::sw::ok};
            }
            int commands = 0;
        } channel;
        const auto cps3 = card::driver_for(card::Generation::cps3);

        CHECK_THROWS_AS(cps3->read(channel, {0x00, 0x01, 0x70, 0x05}), Error);
        CHECK(channel.commands < 100);
    }

    TEST_CASE("the contactless side has no PIN")
    {
        CHECK_FALSE(card::driver_for(card::Generation::cps3_contactless)->has_pin());
    }
}
