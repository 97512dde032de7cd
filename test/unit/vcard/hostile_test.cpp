#include "unit/vcard/test_card.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace cps;
using test::ask;
using test::new_card;
using vcard::Generation;

TEST_SUITE("vcard")
{
    TEST_CASE("what is no short APDU gets 6700, what is unknown 6D00 or 6E00")
    {
        const auto card = new_card(Generation::cps3);

        CHECK(ask(*card, "") == "67 00");
        CHECK(ask(*card, "00 A4 04") == "67 00");
        CHECK(ask(*card, "00 A4 04 04 05 01 02") == "67 00");    // less than Lc
        CHECK(ask(*card, "00 A4 04 04 01 01 00 00") == "67 00"); // more than Lc and Le
        CHECK(ask(*card, "00 B0 00 00 00 01 00") == "67 00");    // extended Le
        CHECK(ask(*card, "00 88 00 00 00 00 01 AA") == "67 00"); // extended Lc
        CHECK(ask(*card, "00 01 00 00 00") == "6D 00");
        CHECK(ask(*card, "80 A4 00 00 00") == "6E 00");
        CHECK(ask(*card, "00 CB 00 00 02 5C 00") == "6A 86");
    }

    TEST_CASE("malformed templates are refused")
    {
        const auto card = new_card(Generation::cps3);

        for (const auto* command :
             {"00 22 41 A4 01 80", "00 22 41 A4 02 80 05", "00 22 41 A4 03 80 81 01",
              "00 22 41 A4 03 80 01 02", "00 22 41 A4 05 80 00 84 01 82",
              "00 22 41 AA 03 80 01 99", "00 CB 3F FF 01 4D",
              "00 CB 3F FF 09 4D 07 70 05 BF 81 01 01 80",
              "00 CB 3F FF 0A 4D 09 70 06 BF 81 01 02 A0 80"}) {
            CAPTURE(command);
            CHECK(ask(*card, command) == "6A 80");
        }
    }

    TEST_CASE("no bytes crash a card, and every answer has a status word")
    {
        constexpr unsigned rounds = 20'000;
        constexpr std::uint8_t instructions[] = {0x20, 0x22, 0x24, 0x2A, 0x2C, 0x84,
                                                 0x88, 0xA4, 0xB0, 0xC0, 0xCB, 0xD6};
        std::mt19937 random{1}; // the same ones each time
        const auto octet = [&] { return static_cast<std::uint8_t>(random() & 0xFFU); };
        for (const auto generation : {Generation::cps3, Generation::cps4}) {
            const auto card = new_card(generation);
            const std::uint8_t cla = generation == Generation::cps4 ? 1 : 0;
            ask(*card, "01 A4 04 0C 08 80 25 00 00 01 FF 01 00");
            bool answered = true;
            for (unsigned round = 0; round != rounds; ++round) {
                Bytes command(random() % 24);
                for (auto& value : command)
                    value = octet();
                if (command.size() > 4 && round % 4 != 0) { // mostly well-formed
                    command[0] = static_cast<std::uint8_t>(cla | (octet() % 8 == 0 ? 0x10 : 0));
                    command[1] = instructions[random() % std::size(instructions)];
                    command[4] = static_cast<std::uint8_t>(command.size() - 5);
                }
                const auto answer = card->process(command);
                answered = answered && answer.size() >= 2 && answer.size() <= 258;
            }
            CHECK(answered);
        }
    }
}
