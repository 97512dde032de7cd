#pragma once

#include "cps/base/unique_handle.hpp"

#include <poll.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cps::broker {

/// The agents that are registered, one a user. One thread.
class Agents {
public:
    /// @param port what agents are told.
    explicit Agents(std::uint16_t port) noexcept : port_{port} {}

    /// Registers the agent at the other end of `connection`, an accepted Unix socket, for its
    /// own user; tells it the verdict, and closes where that is a refusal. Nobody can register
    /// for another: the kernel says whose it is.
    void admit(UniqueFd connection);
    /// Passes `connection` to the agent of `user`, or closes it: none is registered, or theirs
    /// has left too many unanswered. Never waits.
    void pass(uid_t user, UniqueFd connection);

    /// Adds what to wait for, in the order that `read_from` wants it back.
    void wait_for(std::vector<pollfd>& list) const;
    /// Reads answers; forgets agents that ended, or said what they must not.
    void read_from(const pollfd* first);

    std::size_t count() const noexcept { return agents_.size(); }

private:
    struct Agent {
        uid_t user;
        UniqueFd socket;
        std::size_t unanswered = 0;
    };

    std::vector<Agent>::iterator find(uid_t user);
    static bool alive(Agent& agent);

    std::uint16_t port_;
    std::vector<Agent> agents_;
};

} // namespace cps::broker
