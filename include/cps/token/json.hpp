#pragma once

#include "cps/base/error.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace cps::token {

/// Parses one JSON value strictly: UTF-8, nothing after it, depth at most 8, and no object
/// with two members of one name (RFC 8259 leaves those open; RFC 7515, 4 and 7519, 4 let us
/// refuse).
/// @param max_size octets. Errors: malformed_input, too_large.
Result<boost::json::value> parse_json(std::string_view text, std::size_t max_size);

} // namespace cps::token
