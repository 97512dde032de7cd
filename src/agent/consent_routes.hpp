#pragma once

#include "routes.hpp"

#include <boost/json/array.hpp>

#include <optional>
#include <vector>

namespace cps::agent {

/// `GET /control/consents`: what is remembered; `POST /control/consents/revoke`
/// `{"origin":…}` or `{"all":true}`: `{"revoked":n}`. Empty for any other path.
std::optional<http::Response> answer_consents(const Services& services,
                                              const http::Request& request,
                                              std::string_view language);

/// The same facts for the status page: `[{"origin","features":[words],"until"}]`.
boost::json::array shown_consents(const Services& services);

/// What that origin's features are called, in the person's language; the identifier of one that
/// its portal has no more.
boost::json::array in_words(const Services& services, const token::Origin& origin,
                            const std::vector<token::Feature>& features);

/// `POST /page/consents/revoke` `{"origin":…}`. @throws Error bad_request, internal.
http::Response revoke_consents(const Services& services, const http::Request& request);

} // namespace cps::agent
