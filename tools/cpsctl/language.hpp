#pragma once

#include <string_view>

namespace cps::ctl {

/// "fr" or "en", from the person's locale; "en" where that is neither.
std::string_view language();

} // namespace cps::ctl
