#pragma once

#include "journal.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

/// What tests of the journal share.
namespace cps::agent::test {

class SetClock final : public Clock {
public:
    EpochSeconds now() const override { return epoch_seconds(1'790'000'000) + passed_; }
    std::chrono::steady_clock::time_point steady() const override
    {
        return std::chrono::steady_clock::time_point{} + passed_;
    }
    void pass(std::chrono::seconds time) { passed_ += time; }

private:
    std::chrono::seconds passed_{0};
};

class Folder {
public:
    Folder()
    {
        char name[] = "/tmp/cps-journal-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path_ = name;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    JournalFiles files() const { return {path_ / "state" / "cps-agent"}; }

private:
    std::filesystem::path path_;
};

inline std::string read(const std::filesystem::path& path)
{
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline void overwrite(const std::filesystem::path& path, std::string_view text)
{
    std::ofstream{path, std::ios::binary | std::ios::trunc} << text;
}

inline JournalEntry login(unsigned number)
{
    return {
        Event::token, "https://p" + std::to_string(number) + ".example", {"login"}, "done", 1};
}

/// A journal with `count` lines.
inline void fill(const JournalFiles& files, const Clock& clock, unsigned count,
                 std::size_t file_size = 4 * 1024 * 1024)
{
    Journal::Limits limits;
    limits.file_size = file_size;
    Journal journal{files.dir, clock, limits};
    for (unsigned i = 1; i <= count; ++i)
        REQUIRE(journal.write(login(i)).has_value());
}

inline std::string replaced(std::string text, std::string_view what, std::string_view with)
{
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

} // namespace cps::agent::test
