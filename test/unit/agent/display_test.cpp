#include "display.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;

TEST_SUITE("agent")
{
    TEST_CASE("text from outside loses what could deceive, and keeps its accents")
    {
        CHECK(for_display("Hôpital « Saint-Éloi » 中", 60) == "Hôpital « Saint-Éloi » 中");
        CHECK(for_display("a\nb\tc\x7F", 60) == "abc");
        CHECK(for_display("\u202Eoilema\u202C", 60) == "oilema"); // bidirectional override
        CHECK(for_display("a\u200Bb\u2028c\uFEFF", 60) == "abc");
        CHECK(for_display("\xC0\xAF"
                          "a\xED\xA0\x80"
                          "b\xF5",
                          60) == "ab");             // overlong, surrogate, out of range
        CHECK(for_display("a\xE2\x82", 60) == "a"); // cut short
    }

    TEST_CASE("text from outside is clipped between characters")
    {
        CHECK(for_display("éaaé", 3) == "éaa…");
        CHECK(for_display("éaa", 3) == "éaa");
    }

    TEST_CASE("text is clipped at half as many octets more, too")
    {
        CHECK(for_display("\U0001F600\U0001F600\U0001F600", 4) == "\U0001F600…");
    }

    TEST_CASE("lines are broken at blanks, and what goes on stands below its words")
    {
        const std::string x(30, 'x');
        CHECK(in_rows(x + ' ' + x + "\nb") == x + ' ' + x + "\nb");
        CHECK(in_rows(x + ' ' + x + ' ' + x) == x + ' ' + x + '\n' + x);
        CHECK(in_rows("  • " + x + ' ' + x + " y") == "  • " + x + "\n    " + x + " y");
        CHECK(in_rows(x + ' ' + x + " xx « a »") == x + ' ' + x + " xx\n« a »");
        CHECK(in_rows(x + ' ' + x + " xx : b") == x + ' ' + x + "\nxx : b");
        CHECK(in_rows(in_rows("  • " + x + ' ' + x + " y")) ==
              in_rows("  • " + x + ' ' + x + " y"));
    }

    TEST_CASE("a word that is wider than a row is broken, between characters")
    {
        std::string wide;
        for (int i = 0; i != 65; ++i)
            wide += "é";
        CHECK(in_rows(wide) == wide.substr(0, 128) + "\né");
        CHECK(in_rows("  • " + wide) == "  • " + wide.substr(0, 120) + "\n    ééééé");
    }
}
