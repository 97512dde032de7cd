#pragma once

#include "cps/http/message.hpp"

#include <chrono>
#include <string>

namespace cps::http {

/// One request, one answer, blocking, for command-line tools. `fields` go out as they are,
/// with Host added.
/// Errors: no_service (nobody listens), timeout, malformed_input, too_large (above 1 MiB).
Result<Response> call_local(const std::string& socket_path, const Request& request,
                            std::chrono::seconds deadline);
Result<Response> call_tcp(const std::string& host, std::uint16_t port, const Request& request,
                          std::chrono::seconds deadline);

} // namespace cps::http
