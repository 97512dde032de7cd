#include "time.hpp"

#include <algorithm>
#include <ctime>

namespace cps::x509 {
namespace {

constexpr std::uint8_t tag_utc_time = 0x17;         // YYMMDDHHMMSSZ
constexpr std::uint8_t tag_generalized_time = 0x18; // YYYYMMDDHHMMSSZ

std::optional<EpochSeconds> at(int year, unsigned month, unsigned day, unsigned hour,
                               unsigned minute, unsigned second) noexcept
{
    using namespace std::chrono;
    const year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                              std::chrono::day{day}};
    if (!date.ok() || hour > 23 || minute > 59 || second > 59)
        return std::nullopt;
    return sys_days{date} + hours{hour} + minutes{minute} + seconds{second};
}

} // namespace

std::optional<EpochSeconds> time_of(const ASN1_TIME* time)
{
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1)
        return std::nullopt;
    using namespace std::chrono;
    const sys_days day = year{parts.tm_year + 1900} /
                         month{static_cast<unsigned>(parts.tm_mon + 1)} /
                         std::chrono::day{static_cast<unsigned>(parts.tm_mday)};
    return day + hours{parts.tm_hour} + minutes{parts.tm_min} + seconds{parts.tm_sec};
}

std::optional<EpochSeconds> time_of(const Element& element) noexcept
{
    auto text = text_of(element.content);
    const bool utc = element.identifier == tag_utc_time && text.size() == 13;
    const bool generalized = element.identifier == tag_generalized_time && text.size() == 15;
    if ((!utc && !generalized) || text.back() != 'Z' ||
        !std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;

    const auto number = [&](std::size_t digits) {
        unsigned value = 0;
        for (const char digit : text.substr(0, digits))
            value = value * 10 + static_cast<unsigned>(digit - '0');
        text.remove_prefix(digits);
        return value;
    };
    auto year = static_cast<int>(number(utc ? 2 : 4));
    if (utc)
        year += year < 50 ? 2000 : 1900; // RFC 5280, 4.1.2.5.1
    const auto month = number(2);
    const auto day = number(2);
    const auto hour = number(2);
    const auto minute = number(2);
    return at(year, month, day, hour, minute, number(2));
}

} // namespace cps::x509
