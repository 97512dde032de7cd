#pragma once

#include "cps/base/clock.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cps::portal {

/// A person who has entered. What the browser holds is a random key to this record alone.
struct Session {
    std::string id;         ///< internal, what nonces are bound to; never leaves the server
    std::string account;    ///< login
    bool card_seen = false; ///< a card has proved itself in this session
    std::chrono::steady_clock::time_point opened;
    std::chrono::steady_clock::time_point last_used;
};

/// The sessions of one process, kept by the SHA-256 of their cookie, so that a look at this
/// memory gives no cookie away. One thread.
class Sessions {
public:
    static constexpr std::chrono::hours idle_limit{1};
    static constexpr std::chrono::hours age_limit{4};
    static constexpr std::size_t max_sessions = 1000; // beyond: the longest unused goes

    explicit Sessions(const Clock& clock) noexcept : clock_{clock} {}

    /// Opens a session and returns its cookie value: 256 random bits, base64url.
    std::string open(std::string_view account);
    /// The session of that cookie, if it lives; it counts as used. Valid until the next call.
    Session* find(std::string_view cookie);
    /// Gives the session another cookie and forgets the old one: at each rise in trust, so
    /// that a cookie known from before is worth nothing. Empty if there is no such session.
    std::optional<std::string> rename(std::string_view cookie);
    void close(std::string_view cookie);

private:
    void drop_ended();
    bool has_ended(const Session& session) const;

    const Clock& clock_;
    std::map<std::string, Session, std::less<>> by_cookie_hash_;
};

} // namespace cps::portal
