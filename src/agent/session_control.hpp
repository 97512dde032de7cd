#pragma once

#include "routes.hpp"

namespace cps::agent {

// What `cpsctl sessions` asks over the control socket.

/// GET /control/sessions: `{"sessions":[{"id","origin","name","features","limit","left",
/// "open_for","idle_for"}]}`, times in seconds.
http::Response list_sessions(const Services& services, std::string_view language);

/// POST /control/sessions/end `{"id"?}`: that one, or all: `{"ended":n}`.
http::Response end_sessions(const Services& services, const http::Request& request,
                            std::string_view language);

} // namespace cps::agent
