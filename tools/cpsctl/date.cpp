#include "date.hpp"

#include <array>
#include <cstdio>

namespace cps::ctl {

std::string date_of(EpochSeconds time)
{
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(day.year()),
                  static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
    return text.data();
}

} // namespace cps::ctl
