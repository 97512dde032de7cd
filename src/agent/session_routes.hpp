#pragma once

#include "routes.hpp"

namespace cps::agent {

// The routes under /v1/sessions (docs/http-api.md); `{id}` is read from the path. One origin
// cannot tell whether another's session exists: it hears session_ended either way.

void open_session(const Services& services, const Caller& caller, const http::Request& request,
                  http::Reply reply);
void renew_session(const Services& services, const Caller& caller, const http::Request& request,
                   http::Reply reply);
void make_feature_token(const Services& services, const Caller& caller,
                        const http::Request& request, http::Reply reply);
void end_session(const Services& services, const Caller& caller, const http::Request& request,
                 http::Reply reply);

} // namespace cps::agent
