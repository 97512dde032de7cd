#pragma once

#include "cps/http/message.hpp"

#include <ctime>
#include <string>
#include <string_view>

namespace cps::http {

/// The words beside a status code; "Status" for those that we never send.
std::string_view reason_phrase(unsigned status) noexcept;

/// How an answer leaves.
struct Framing {
    bool keep_alive = false;
    bool head_only = false; ///< the request was HEAD: lengths, no body
    bool http_1_0 = false;  ///< the client must be told that the connection stays
    std::time_t now = 0;    ///< for Date (RFC 9110, 6.6.1)
};

/// Whether no field of it could end its line early, and its status is a final one.
bool well_formed(const Response& response) noexcept;

/// The octets of an answer. Content-Length, Connection and Date are ours: a handler's fields
/// of these names are passed over. `Cache-Control: no-store` and `X-Content-Type-Options:
/// nosniff` unless the handler set its own. `response` must be well formed.
std::string to_octets(const Response& response, const Framing& framing);

} // namespace cps::http
