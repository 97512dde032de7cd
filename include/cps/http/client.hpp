#pragma once

#include "cps/http/message.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace cps::http {

/// One request, one answer, blocking, for command-line tools; `deadline` is for all of it.
/// `fields` go out as they are, with Host (unless given), Content-Length and `Connection:
/// close` added. `host` is a numeric address.
/// Errors: no_service (nobody listens), timeout, malformed_input (not an HTTP answer),
/// too_large (above 1 MiB), bad_argument (a request that is not HTTP).
Result<Response> call_local(const std::string& socket_path, const Request& request,
                            std::chrono::seconds deadline);
Result<Response> call_tcp(const std::string& host, std::uint16_t port, const Request& request,
                          std::chrono::seconds deadline);

} // namespace cps::http
