#pragma once

#include <chrono>

namespace cps {

/// Seconds since 1970-01-01T00:00:00Z without leap seconds: RFC 7519's NumericDate.
using EpochSeconds = std::chrono::sys_seconds;

inline constexpr EpochSeconds epoch_seconds(long long seconds)
{
    return EpochSeconds{std::chrono::seconds{seconds}};
}
inline constexpr long long to_number(EpochSeconds time)
{
    return time.time_since_epoch().count();
}

/// Where time comes from, so that tests can set it.
class Clock {
public:
    virtual ~Clock() = default;
    /// The calendar: what certificates and tokens are compared with.
    virtual EpochSeconds now() const = 0;
    /// Never set back and unaware of the calendar: what ages are measured with.
    virtual std::chrono::steady_clock::time_point steady() const = 0;
};

/// The machine's own clocks. Thread-safe.
class SystemClock final : public Clock {
public:
    EpochSeconds now() const override;
    std::chrono::steady_clock::time_point steady() const override;
};

} // namespace cps
