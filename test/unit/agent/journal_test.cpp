#include "journal_case.hpp"

#include <doctest/doctest.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace cps;
using namespace cps::agent;
using namespace cps::agent::test;
using namespace std::chrono_literals;

namespace {

unsigned mode_of(const std::filesystem::path& path)
{
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 0777U;
}

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("what is written to the journal is read back in order, across a restart")
    {
        const Folder folder;
        SetClock clock;

        fill(folder.files(), clock, 2);
        clock.pass(10s);
        fill(folder.files(), clock, 1);

        const auto report = check_journal(folder.files());
        CHECK_FALSE(report.fault.has_value());
        REQUIRE(report.lines.size() == 3);
        CHECK(report.lines[0].entry == login(1));
        CHECK(report.lines[2].seq == 3);
        CHECK(to_number(report.lines[2].time) == 1'790'000'010);
        REQUIRE(report.head.has_value());
        CHECK(report.head->seq == 3);
        CHECK(report.head->hash == report.last_hash);
    }

    TEST_CASE("the journal's folder and files are their owner's alone")
    {
        const Folder folder;
        fill(folder.files(), SetClock{}, 1);

        CHECK(mode_of(folder.files().dir) == 0700);
        for (const auto& file : {folder.files().current(), folder.files().head(),
                                 folder.files().key(), folder.files().lock()})
            CHECK(mode_of(file) == 0600);
    }

    TEST_CASE("a journal that grows too large goes on in a new file, and the chain with it")
    {
        const Folder folder;
        const SetClock clock;

        fill(folder.files(), clock, 12, 1000);

        const auto report = check_journal(folder.files());
        CHECK_FALSE(report.fault.has_value());
        CHECK(std::filesystem::file_size(folder.files().current()) <= 1000);
        CHECK(std::filesystem::file_size(folder.files().older()) <= 1000);
        CHECK(report.lines.front().seq > 1); // what is older was dropped
        CHECK(report.lines.back().seq == 12);
        CHECK_FALSE(
            parse_journal_line(read(folder.files().current())
                                   .substr(0, read(folder.files().current()).find('\n')))
                ->prev.empty());
    }

    TEST_CASE("a changed line is found, by its number")
    {
        const Folder folder;
        fill(folder.files(), SetClock{}, 4);

        overwrite(folder.files().current(),
                  replaced(read(folder.files().current()), "p2.example", "q2.example"));

        const auto report = check_journal(folder.files());
        REQUIRE(report.fault.has_value());
        CHECK(report.fault->line == 3); // names a line 2 that is not there any more
        CHECK(report.fault->str().find("journal.jsonl:3: ") != std::string::npos);
        CHECK(report.lines.size() == 2);
    }

    TEST_CASE("a changed last line is found")
    {
        const Folder folder;
        fill(folder.files(), SetClock{}, 2);

        overwrite(folder.files().current(),
                  replaced(read(folder.files().current()), "p2.example", "q2.example"));

        CHECK(check_journal(folder.files()).fault.has_value());
    }

    TEST_CASE("a line that is taken out is found")
    {
        const Folder folder;
        fill(folder.files(), SetClock{}, 3);
        auto text = read(folder.files().current());
        const auto first = text.find('\n') + 1;

        overwrite(folder.files().current(),
                  text.erase(first, text.find('\n', first) + 1 - first));

        REQUIRE(check_journal(folder.files()).fault.has_value());
        CHECK(check_journal(folder.files()).fault->line == 2);
    }

    TEST_CASE("a tail that is cut off is found by the signed head")
    {
        const Folder folder;
        fill(folder.files(), SetClock{}, 5);
        auto text = read(folder.files().current());
        const auto cut = text.rfind('\n', text.size() - 2) + 1;

        overwrite(folder.files().current(), text.substr(0, cut));

        const auto report = check_journal(folder.files());
        REQUIRE(report.fault.has_value());
        CHECK(report.fault->reason == "the end is cut off: 1 line(s) are missing");
    }

    TEST_CASE("a journal that is deleted as a whole is found by the signed head")
    {
        const Folder folder;
        fill(folder.files(), SetClock{}, 2);

        std::filesystem::remove(folder.files().current());

        CHECK(check_journal(folder.files()).fault.has_value());
    }

    TEST_CASE("an older file that is taken away is found")
    {
        const Folder folder;
        fill(folder.files(), SetClock{}, 12, 1000);

        std::filesystem::remove(folder.files().older());

        REQUIRE(check_journal(folder.files()).fault.has_value());
        CHECK(check_journal(folder.files()).fault->line == 1);
    }

    TEST_CASE("a head that is not signed by the journal's key is found")
    {
        const Folder folder;
        const Folder other;
        fill(folder.files(), SetClock{}, 1);
        fill(other.files(), SetClock{}, 1);

        overwrite(folder.files().head(), read(other.files().head()));

        CHECK(check_journal(folder.files()).fault.has_value());
    }

    TEST_CASE("a last line that a crash tore is dropped, and the next line says so")
    {
        const Folder folder;
        const SetClock clock;
        fill(folder.files(), clock, 2);
        const auto whole = read(folder.files().current());
        overwrite(folder.files().current(), whole + R"({"seq":3,"prev":"a)");

        CHECK_FALSE(check_journal(folder.files()).fault.has_value());
        CHECK(check_journal(folder.files()).torn != 0);
        fill(folder.files(), clock, 1);

        const auto report = check_journal(folder.files());
        CHECK_FALSE(report.fault.has_value());
        REQUIRE(report.lines.size() == 4);
        CHECK(report.lines[2].entry.event == Event::repaired);
        CHECK(read(folder.files().current()).starts_with(whole));
    }

    TEST_CASE("a line that was signed for and is torn was no crash")
    {
        const Folder folder;
        fill(folder.files(), SetClock{}, 2);
        auto text = read(folder.files().current());

        overwrite(folder.files().current(), text.substr(0, text.size() - 5));

        CHECK(check_journal(folder.files()).fault.has_value());
    }

    TEST_CASE("a crash between a line and its head is no fault")
    {
        const Folder folder;
        const SetClock clock;
        fill(folder.files(), clock, 2);
        const auto head = read(folder.files().head());
        fill(folder.files(), clock, 1);

        overwrite(folder.files().head(), head);

        CHECK_FALSE(check_journal(folder.files()).fault.has_value());
        fill(folder.files(), clock, 1);
        CHECK_FALSE(check_journal(folder.files()).fault.has_value());
    }

    TEST_CASE("a journal that does not hold together is set aside, and the new one says so")
    {
        const Folder folder;
        const SetClock clock;
        fill(folder.files(), clock, 3);
        const auto changed =
            replaced(read(folder.files().current()), "p2.example", "q2.example");
        overwrite(folder.files().current(), changed);

        fill(folder.files(), clock, 1);

        const auto report = check_journal(folder.files());
        CHECK_FALSE(report.fault.has_value());
        REQUIRE(report.lines.size() == 2);
        CHECK(report.lines[0].entry.event == Event::set_aside);
        CHECK(read(folder.files().broken()) == changed);
    }

    TEST_CASE("a line that is changed in place under a running agent is noticed by it")
    {
        const Folder folder;
        const SetClock clock;
        Journal journal{folder.files().dir, clock};
        REQUIRE(journal.write(login(1)).has_value());
        REQUIRE(journal.write(login(2)).has_value());

        overwrite(folder.files().current(),
                  replaced(read(folder.files().current()), "p1.example", "q1.example"));
        REQUIRE(journal.write(login(3)).has_value());

        CHECK(std::filesystem::exists(folder.files().broken()));
        CHECK(check_journal(folder.files()).lines.size() == 2);
    }

    TEST_CASE("two agents of one person write one journal")
    {
        const Folder folder;
        const SetClock clock;
        Journal one{folder.files().dir, clock};
        Journal two{folder.files().dir, clock};

        for (unsigned i = 0; i != 4; ++i)
            REQUIRE((i % 2 == 0 ? one : two).write(login(i)).has_value());

        CHECK_FALSE(check_journal(folder.files()).fault.has_value());
        CHECK(check_journal(folder.files()).lines.size() == 4);
    }

    TEST_CASE("a full disk fails the write, and the journal is as it was")
    {
        const Folder folder;
        const SetClock clock;
        fill(folder.files(), clock, 2);
        const auto before = read(folder.files().current());

        // A file-size limit belongs to a process: a child has it alone.
        const auto child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            ::signal(SIGXFSZ, SIG_IGN);
            const rlimit limit{before.size() + 20, before.size() + 20};
            ::setrlimit(RLIMIT_FSIZE, &limit);
            Journal journal{folder.files().dir, clock};
            const bool written = journal.write(login(3)).has_value();
            ::_exit(written ? 1 : 0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);

        CHECK(read(folder.files().current()) == before);
        CHECK_FALSE(check_journal(folder.files()).fault.has_value());
        fill(folder.files(), clock, 1);
        CHECK(check_journal(folder.files()).lines.size() == 3);
    }

    TEST_CASE("the last events are at hand after a restart, the oldest first")
    {
        const Folder folder;
        const SetClock clock;
        fill(folder.files(), clock, 30);

        Journal journal{folder.files().dir, clock};
        REQUIRE(journal.write(login(31)).has_value());

        const auto recent = journal.recent();
        REQUIRE(recent.size() == Journal::max_recent);
        CHECK(recent.front().seq == 12);
        CHECK(recent.back().entry == login(31));
    }

    TEST_CASE("a journal without a folder refuses every write")
    {
        const SetClock clock;
        Journal journal{{}, clock};

        CHECK_FALSE(journal.ready().has_value());
        CHECK_FALSE(journal.write(login(1)).has_value());
    }

    TEST_CASE("a line with a member more, less, or of another type is none")
    {
        const auto good = to_text({1, "", epoch_seconds(5), login(1)});
        CHECK(parse_journal_line(good).has_value());

        CHECK_FALSE(
            parse_journal_line(replaced(good, "\"seq\":1", "\"seq\":\"1\"")).has_value());
        CHECK_FALSE(
            parse_journal_line(replaced(good, "\"seq\":1", "\"seq\":1,\"pin\":1")).has_value());
        CHECK_FALSE(
            parse_journal_line(replaced(good, "\"what\":\"token\"", "\"what\":\"tokem\""))
                .has_value());
        CHECK_FALSE(parse_journal_line("").has_value());
    }
}
