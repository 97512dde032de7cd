#include "cps/apdu/transmit.hpp"
#include "support/scripted_card.hpp"

#include <doctest/doctest.h>

using namespace cps;
using test::hex;
using test::ScriptedCard;

TEST_SUITE("apdu")
{
    TEST_CASE("transmit repeats a command with the length the card asks for (6Cxx)")
    {
        ScriptedCard card{{"00 B0 00 00 00", "6C 02"}, {"00 B0 00 00 02", "30 82 90 00"}};
        apdu::Command read{{0x00, 0xB0, 0x00, 0x00}};

        const auto reply = apdu::transmit(card, read.with_le(256));

        CHECK(reply.status.ok());
        CHECK(reply.data == hex("30 82"));
        CHECK(card.finished());
    }

    TEST_CASE("transmit does not follow a second 6Cxx")
    {
        ScriptedCard card{{"00 B0 00 00 00", "6C 02"}, {"00 B0 00 00 02", "6C 03"}};
        apdu::Command read{{0x00, 0xB0, 0x00, 0x00}};

        CHECK(apdu::transmit(card, read.with_le(256)).status.raw() == 0x6C03);
    }

    TEST_CASE("transmit collects what the card announces (61xx), 61 00 standing for 256")
    {
        ScriptedCard card{{"00 88 00 00 01 AA", "61 00"},
                          {"00 C0 00 00 00", "01 02 61 01"},
                          {"00 C0 00 00 01", "03 90 00"}};
        apdu::Command authenticate{{0x00, 0x88, 0x00, 0x00}};
        const auto data = hex("AA");

        const auto reply = apdu::transmit(card, authenticate.with_data(data));

        CHECK(reply.data == hex("01 02 03"));
        CHECK(reply.status.ok());
    }

    TEST_CASE("GET RESPONSE stays on the logical channel of the command")
    {
        ScriptedCard card{{"01 2A 9E 9A 01 AA 00", "61 01"}, {"01 C0 00 00 01", "07 90 00"}};
        apdu::Command sign{{0x01, 0x2A, 0x9E, 0x9A}};
        const auto data = hex("AA");

        CHECK(apdu::transmit(card, sign.with_data(data).with_le(256)).data == hex("07"));
    }

    TEST_CASE("transmit gives up on a card that promises data and sends none (61xx)")
    {
        ScriptedCard card{{"00 B0 00 00 00", "61 10"}, {"00 C0 00 00 10", "61 10"}};
        apdu::Command read{{0x00, 0xB0, 0x00, 0x00}};
        read.with_le(256);

        CHECK_THROWS_AS(apdu::transmit(card, read), Error);
    }

    TEST_CASE("transmit gives up on a card that never stops sending")
    {
        struct Endless final : apdu::Channel {
            apdu::Response exchange(const apdu::Command&) override
            {
                ++commands;
                return {Bytes(256, 0x55), apdu::StatusWord{0x6100}};
            }
            int commands = 0;
        } card;
        apdu::Command read{{0x00, 0xB0, 0x00, 0x00}};
        read.with_le(256);

        CHECK_THROWS_AS(apdu::transmit(card, read), Error);
        CHECK(card.commands <= 257);
    }

    TEST_CASE("data above 255 octets goes in chained blocks, Le with the last alone")
    {
        const Bytes data(257, 0x81);
        std::string first = "10 2A 80 86 FF";
        for (int i = 0; i != 255; ++i)
            first += " 81";
        ScriptedCard card{{first, "90 00"}, {"00 2A 80 86 02 81 81 00", "42 90 00"}};

        const auto reply =
            apdu::transmit_chained(card, {0x00, 0x2A, 0x80, 0x86}, data, apdu::max_le);

        CHECK(reply.data == hex("42"));
        CHECK(card.finished());
    }

    TEST_CASE("chaining ends at the first block that the card refuses")
    {
        const Bytes data(256, 0x00);
        std::string first = "10 2A 80 86 FF";
        for (int i = 0; i != 255; ++i)
            first += " 00";
        ScriptedCard card{{first, "69 85"}};

        CHECK(apdu::transmit_chained(card, {0x00, 0x2A, 0x80, 0x86}, data, 0).status.raw() ==
              0x6985);
    }
}
