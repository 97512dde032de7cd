#include "cps/base/log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace cps::log {
namespace {

constexpr std::size_t max_line = 512; // octets: a longer line is cut, never split
constinit std::atomic<Level> threshold{Level::notice};

/// Whether standard error goes to journald, which reads `<n>` in front of a line: it says in
/// JOURNAL_STREAM, as DEVICE:INODE, which stream is its (systemd.exec(5)).
bool is_journal() noexcept
{
    const char* const named = std::getenv("JOURNAL_STREAM");
    struct stat info {};
    if (named == nullptr || ::fstat(STDERR_FILENO, &info) != 0)
        return false;
    std::array<char, 64> ours;
    const auto size = std::snprintf(ours.data(), ours.size(), "%lu:%lu",
                                    static_cast<unsigned long>(info.st_dev),
                                    static_cast<unsigned long>(info.st_ino));
    return std::string_view{ours.data(), static_cast<std::size_t>(std::max(size, 0))} == named;
}

std::string_view prefix_of(Level level) noexcept
{
    static const bool journal = is_journal();
    switch (level) {
    case Level::error: return journal ? "<3>" : "error: ";
    case Level::warning: return journal ? "<4>" : "warning: ";
    case Level::notice: return journal ? "<5>" : "notice: ";
    case Level::info: return journal ? "<6>" : "info: ";
    case Level::debug: return journal ? "<7>" : "debug: ";
    }
    return "";
}

} // namespace

void set_level(Level level) noexcept
{
    threshold = level;
}

void write(Level level, std::string_view what) noexcept
{
    if (level > threshold.load())
        return;
    std::array<char, max_line> line;
    std::size_t size = 0;
    for (const char c : prefix_of(level))
        line[size++] = c;
    for (const char c : what.substr(0, max_line - size - 1))
        line[size++] = static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    line[size++] = '\n';
    // One write, so that lines of several threads and processes do not mix.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), size);
}

void write(Level level, const Error& error) noexcept
{
    std::array<char, max_line> line;
    const auto code = stable_code(error.code());
    const auto size = std::snprintf(line.data(), line.size(), "%.*s: %s (%ld, 0x%lX)",
                                    static_cast<int>(code.size()), code.data(), error.what(),
                                    error.native(), static_cast<unsigned long>(error.native()));
    write(level, {line.data(),
                  std::min(line.size() - 1, static_cast<std::size_t>(std::max(size, 0)))});
}

} // namespace cps::log
