#pragma once

#include <cstddef>
#include <cstdint>

namespace cps::broker {

/// Where the broker of a package waits for agents; only root can put a socket there.
inline constexpr const char* default_socket = "/run/cps-agent-broker/agents.sock";

/// The broker's answer to an agent that has connected, which is all that an agent does to
/// register: SO_PEERCRED says whose it is.
enum class Verdict : std::uint8_t {
    registered = 0,
    taken = 1, ///< another agent of the same user is registered
    full = 2,  ///< max_agents are
};

/// Four octets, once; a broker that refuses closes then. Both ends are of one machine.
struct Greeting {
    std::uint8_t version = 1;
    Verdict verdict = Verdict::registered;
    std::uint16_t port = 0; ///< TCP, on which the broker listens for browsers
};
static_assert(sizeof(Greeting) == 4);

// After it, the broker sends one octet with each connection (SCM_RIGHTS), and the agent
// answers each with one octet.
inline constexpr char passed = 'c';
inline constexpr char received = 'r';

/// Agents at once, one a user: people logged in on one terminal server.
inline constexpr std::size_t max_agents = 256;
/// Connections that an agent may leave unanswered. A browser opens six to one host; a stuck
/// agent holds no more of the machine's than these.
inline constexpr std::size_t max_unanswered = 32;

} // namespace cps::broker
