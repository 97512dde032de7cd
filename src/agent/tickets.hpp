#pragma once

#include "cps/base/clock.hpp"
#include "cps/crypto/digest.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cps::agent {

/// Who may look at the status page: a ticket that `cpsctl ui` carries to the browser opens it
/// once, and the page then has a key of its own until it is left alone. Both are 256 random
/// bits, kept here as their digests. One thread.
class Tickets {
public:
    static constexpr std::chrono::seconds ticket_life{60}; // a browser may have to start
    static constexpr std::chrono::minutes key_idle{30};
    static constexpr std::size_t max_tickets = 8; // unused ones; beyond: the oldest goes
    static constexpr std::size_t max_keys = 8;    // open pages; beyond: the longest idle goes

    explicit Tickets(const Clock& clock) noexcept : clock_{clock} {}
    /// A ticket, base64url.
    std::string issue();
    /// Takes the ticket for a page key; empty for one that is unknown, used or late.
    std::optional<std::string> redeem(std::string_view ticket);
    /// Is this the key of an open page? Counts as its use.
    bool admits(std::string_view key);
    /// A page that is shown is not left alone: its key lives on while `stream` does.
    void keep_while(std::string_view key, std::weak_ptr<const void> stream);

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Life {
        Time until;
        std::weak_ptr<const void> stream{}; ///< of a key's page
    };
    using Secrets = std::map<crypto::Sha256, Life>;
    std::string keep(Secrets& secrets, std::size_t most, std::chrono::seconds life);
    Secrets::iterator find(std::string_view key);

    const Clock& clock_;
    Secrets tickets_;
    Secrets keys_;
};

} // namespace cps::agent
