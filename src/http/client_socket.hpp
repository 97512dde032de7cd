#pragma once

#include "cps/base/unique_handle.hpp"
#include "cps/http/message.hpp"

#include <sys/socket.h>

#include <chrono>
#include <string>

/// What a blocking client does with its socket, each step within one deadline.
namespace cps::http {

using Time = std::chrono::steady_clock;

/// Waits until `fd` is ready for `events`. False once the deadline has passed.
bool wait_for(int fd, short events, Time::time_point deadline);
Error too_late();
/// Errors: no_service, timeout, internal.
Result<UniqueFd> connect_to(const sockaddr* address, socklen_t size, Time::time_point deadline);
/// The request as it goes over the wire. Errors: bad_argument.
Result<std::string> to_octets(const Request& request, std::string_view host);
/// A server may answer and close before it has read everything: then its answer counts, and
/// this is false. Errors: no_service, timeout.
Result<bool> send_all(int fd, std::string_view octets, Time::time_point deadline);

} // namespace cps::http
