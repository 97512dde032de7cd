#pragma once

#include "client_socket.hpp"

#include <vector>

namespace cps::http {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// Addresses of a host, at most 4, in the order to try them; a numeric host asks nobody.
/// Errors: no_service, timeout.
Result<std::vector<SocketAddress>> look_up(const std::string& host, const std::string& port,
                                           Time::time_point deadline);

} // namespace cps::http
