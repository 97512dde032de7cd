#pragma once

#include "cps/token/values.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace cps::agent {

/// Why a session ended.
enum class SessionEnd {
    card_removed,
    card_refused, ///< at a renewal: the card, its PIN or its flags are not what they were
    page,         ///< the page that opened it said so
    person,       ///< `cpsctl sessions end`
    replaced,     ///< the same origin opened too many
    idle,
    too_long,
    screen_locked,
    suspended,
    logged_out,
    agent_stopped,
    pin_changed,    ///< or may have been: a kept PIN is no longer the card's
    portal_removed, ///< its portal is not registered any more
};
/// "card_removed" and so on: what pages and the person's tools read.
std::string_view name_of(SessionEnd reason) noexcept;

/// What happens to a session, told as it happens.
struct SessionNews {
    std::string_view id; ///< whole: for its opener alone
    const token::Origin& origin;
    unsigned left = 0; ///< feature tokens
};

/// Hears of every session. Called under the sessions' lock, on any thread, in order: it must
/// not call Sessions, not block and not throw.
class SessionEvents {
public:
    virtual ~SessionEvents() = default;
    virtual void session_opened(const SessionNews&) {}
    virtual void session_used(const SessionNews&) {}
    virtual void session_renewed(const SessionNews&) {}
    virtual void session_ended(const SessionNews&, SessionEnd) {}
};

/// Brings a revoke token to the portal. Called under the sessions' lock: it must not block.
class Revoker {
public:
    virtual ~Revoker() = default;
    virtual void revoke(const std::string& uri, const std::string& token) = 0;
};

} // namespace cps::agent
