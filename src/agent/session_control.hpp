#pragma once

#include "routes.hpp"

#include <boost/json/array.hpp>

namespace cps::agent {

// What `cpsctl sessions` asks over the control socket.

/// An array of `{"id","origin","name","features","opened","limit","left","open_for",
/// "idle_for"}`; `id` is the short one, `opened` an RFC 7519 NumericDate, the rest seconds.
boost::json::array sessions_json(const Services& services, std::string_view language);

/// GET /control/sessions: `{"sessions":[…]}`.
http::Response list_sessions(const Services& services, std::string_view language);

/// POST /control/sessions/end `{"id"?}`: that one, or all: `{"ended":n}`.
http::Response end_sessions(const Services& services, const http::Request& request,
                            std::string_view language);

} // namespace cps::agent
