#pragma once

#include "cps/base/error.hpp"
#include "cps/http/message.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace cps::http {

/// Parses a whole answer; `ended` says that the server has closed, so that nothing follows.
/// Nothing yet: more octets are needed. Interim (1xx) answers are passed over.
/// Errors: malformed_input.
Result<std::optional<Response>> read_response(std::string_view octets, bool ended,
                                              bool head_only);

} // namespace cps::http
