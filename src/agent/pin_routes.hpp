#pragma once

#include "routes.hpp"

#include <string_view>

namespace cps::agent {

/// `POST /control/pin/change` and `/control/pin/unblock`, for the person's own tools alone: the
/// codes are typed in dialogs, never sent. False: not one of these paths; `reply` is untouched.
bool answer_pin(const Services& services, const http::Request& request,
                std::string_view language, http::Reply& reply);

} // namespace cps::agent
