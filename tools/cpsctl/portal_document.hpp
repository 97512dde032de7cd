#pragma once

#include "portals.hpp"

#include "cps/base/error.hpp"

#include <string_view>

namespace cps::ctl {

/// Largest description of itself that a portal may publish.
inline constexpr std::size_t max_portal_document = 64 * 1024; // octets

/// Reads `/.well-known/cps-portal.json` (docs/http-api.md, "What a portal publishes"): exactly
/// the members written there; names and labels without a character that could deceive; every
/// address under the origin. Whose document it is, the caller compares.
/// Errors: malformed_input, whose text says what is wrong.
Result<agent::Portal> read_portal_document(std::string_view json);

} // namespace cps::ctl
