#include "cps/base/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

namespace cps::log {
namespace {

constexpr std::size_t max_line = 512; // octets: a longer line is cut, never split
constinit std::atomic<Level> threshold{Level::notice};

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
    line[size++] = '<';
    line[size++] = static_cast<char>('0' + static_cast<int>(level));
    line[size++] = '>';
    for (const char c : what.substr(0, max_line - 4))
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
