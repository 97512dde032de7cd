#pragma once

#include "routes.hpp"

#include "cps/base/error.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace cps::agent {

/// Longest JSON body that a token call may have; a challenge has at most 4 KiB.
inline constexpr std::size_t max_token_body = 16 * 1024; // octets

/// Reads `{"challenge":{…},"htm"?,"htu"?,"rid"?}` for `caller`. Any other member is refused.
/// Errors: bad_request, challenge_invalid.
Result<TokenRequest> read_token_call(const boost::json::object& body, const Caller& caller);

/// Hands the request to the desk and turns its outcome into the answer.
void answer_token_call(const Services& services, TokenRequest request, std::string language,
                       http::Reply reply);

/// 200 with a JSON body.
http::Response json_response(const boost::json::object& body);

/// The problem+json of `error` in the page's language.
http::Response refuse(const Error& error, std::string_view language,
                      std::optional<int> tries_left = {});

} // namespace cps::agent
