#pragma once

#include "cps/base/unique_handle.hpp"

#include <cstdint>
#include <vector>

namespace cps::broker {

/// The listening sockets that systemd holds for us (sd_listen_fds(3)).
struct Inherited {
    UniqueFd agents;                ///< a Unix socket
    std::vector<UniqueFd> browsers; ///< on 127.0.0.1, on [::1], or both, under one port
    std::uint16_t port = 0;

    /// Reads LISTEN_PID and LISTEN_FDS. Sockets are made non-blocking and kept from children.
    /// @throws Error bad_argument where they are not these: none, other kinds, an address that
    /// another machine can reach.
    static Inherited take();
};

} // namespace cps::broker
