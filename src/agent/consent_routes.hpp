#pragma once

#include "routes.hpp"

namespace cps::agent {

/// `GET /control/consents`: what is remembered; `POST /control/consents/revoke`
/// `{"origin":…}` or `{"all":true}`: `{"revoked":n}`. Empty for any other path.
std::optional<http::Response> answer_consents(const Services& services,
                                              const http::Request& request,
                                              std::string_view language);

} // namespace cps::agent
