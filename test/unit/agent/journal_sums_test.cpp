#include "journal_case.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;
using namespace cps::agent::test;
using namespace std::chrono_literals;

TEST_SUITE("agent")
{
    TEST_CASE("refusals that a page repeats become one line an hour, and no flood of lines")
    {
        const Folder folder;
        SetClock clock;
        {
            Journal journal{folder.files().dir, clock};
            for (unsigned i = 0; i != 10'000; ++i)
                journal.refused("https://evil.example", "origin_refused");
            CHECK(check_journal(folder.files()).lines.size() == 1);

            clock.pass(3600s);
            REQUIRE(journal.write(login(1)).has_value());
        }

        const auto report = check_journal(folder.files());
        REQUIRE(report.lines.size() == 3);
        CHECK(report.lines[0].entry.count == 1);
        CHECK(report.lines[1].entry.count == 9'999);
        CHECK(report.lines[1].entry.origin == "https://evil.example");
        CHECK(report.lines[2].entry == login(1));
    }

    TEST_CASE("refusals under ever new names are summed up without them")
    {
        const Folder folder;
        SetClock clock;
        {
            Journal journal{folder.files().dir, clock};
            for (unsigned i = 0; i != 1000; ++i)
                journal.refused("https://e" + std::to_string(i) + ".example", "origin_refused");
        }

        const auto report = check_journal(folder.files());
        CHECK(report.lines.size() == Journal::Limits{}.refused_origins + 2);
        std::uint64_t count = 0;
        for (const auto& line : report.lines)
            count += line.entry.count;
        CHECK(count == 1000);
    }

    TEST_CASE("feature tokens are summed up by session, feature and minute")
    {
        const Folder folder;
        SetClock clock;
        Journal journal{folder.files().dir, clock};
        for (unsigned i = 0; i != 300; ++i)
            journal.feature_used("s1", "https://a.example", "read");
        journal.feature_used("s2", "https://a.example", "read");
        CHECK(check_journal(folder.files()).lines.empty());

        REQUIRE(journal.flush().has_value());

        auto lines = check_journal(folder.files()).lines;
        REQUIRE(lines.size() == 2);
        CHECK(lines[0].entry ==
              JournalEntry{Event::features, "https://a.example", {"read"}, "done", 300});

        journal.feature_used("s1", "https://a.example", "read");
        clock.pass(60s);
        journal.feature_used("s1", "https://a.example", "read");
        CHECK(check_journal(folder.files()).lines.size() == 3);
    }
}
