#pragma once

namespace cps::broker {

enum class Passed {
    done,
    full,  ///< not now; the connection is not passed
    ended, ///< the agent has gone
};

/// Sends one octet and `connection` over the Unix socket `agent`, without waiting. The caller
/// keeps its own descriptor.
Passed pass(int agent, int connection) noexcept;

} // namespace cps::broker
