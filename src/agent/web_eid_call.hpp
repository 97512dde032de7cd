#pragma once

#include "routes.hpp"

namespace cps::agent {

/// `POST /v1/web-eid` `{"nonce":…}`, for portals registered with `web_eid = true`.
void make_web_eid_token(const Services& services, const Caller& caller,
                        const http::Request& request, http::Reply reply);

} // namespace cps::agent
