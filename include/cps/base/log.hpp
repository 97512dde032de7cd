#pragma once

#include "cps/base/error.hpp"

#include <string_view>

namespace cps::log {

/// The levels of sd-daemon(3). A line begins with `<n>` where standard error goes to journald
/// (JOURNAL_STREAM), else with its level's name.
enum class Level { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/// Lines above `level` are dropped. Default: notice. Thread-safe.
void set_level(Level level) noexcept;

/// One line to standard error. `what` must never hold a PIN, a token, or a patient's data.
/// Control characters are replaced. Thread-safe.
void write(Level level, std::string_view what) noexcept;
void write(Level level, const Error& error) noexcept;

inline void error(std::string_view what) noexcept
{
    write(Level::error, what);
}
inline void error(const Error& e) noexcept
{
    write(Level::error, e);
}
inline void warning(std::string_view what) noexcept
{
    write(Level::warning, what);
}
inline void notice(std::string_view what) noexcept
{
    write(Level::notice, what);
}
inline void info(std::string_view what) noexcept
{
    write(Level::info, what);
}
inline void debug(std::string_view what) noexcept
{
    write(Level::debug, what);
}

} // namespace cps::log
