#pragma once

#include "cps/base/clock.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cps::portal {

/// Slows down whoever guesses passwords: so many wrong ones for a login, and so many in all,
/// within a window. Logins without an account are counted alike. One thread.
class LoginLimit {
public:
    static constexpr std::size_t failures_for_a_login = 5;
    static constexpr std::size_t failures_in_all = 60;
    static constexpr std::chrono::seconds window{60};

    explicit LoginLimit(const Clock& clock) noexcept : clock_{clock} {}

    /// How long this login must wait; empty: it may try now.
    std::optional<std::chrono::seconds> wait(std::string_view login);
    /// Counts a try, before its outcome is known, so that many at once count as well.
    void failed(std::string_view login);
    /// The try was right after all: this login's count starts anew.
    void succeeded(std::string_view login);

private:
    using Times = std::deque<std::chrono::steady_clock::time_point>;
    void forget_old();

    const Clock& clock_;
    Times all_;
    std::map<std::string, Times, std::less<>> by_login_; // bounded by failures_in_all
};

} // namespace cps::portal
