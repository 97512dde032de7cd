#pragma once

#include "cps/base/error.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cps::token {

/// Parses one JSON value strictly: UTF-8, nothing after it, depth at most 8, and no object
/// with two members of one name, no number beyond a double (RFC 8259 leaves those open; RFC
/// 7515, 4 and 7519, 4 let us refuse).
/// @param max_size octets. Errors: malformed_input, too_large.
Result<boost::json::value> parse_json(std::string_view text, std::size_t max_size);

/// True when `object` has those members and no other.
bool has_exactly(const boost::json::object& object, std::span<const std::string_view> names);

// Readers of one member. Empty (or null) when it is missing or of another type; none throws.

std::optional<std::string_view> string_member(const boost::json::object& object,
                                              std::string_view name);
/// A number written as an integer, not negative and below 2^53 (RFC 8259, 6): `1.0`, `1e3`
/// and `"1"` are none.
std::optional<std::int64_t> integer_member(const boost::json::object& object,
                                           std::string_view name);
const boost::json::array* array_member(const boost::json::object& object,
                                       std::string_view name);

} // namespace cps::token
