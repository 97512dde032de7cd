#pragma once

#include "cps/base/clock.hpp"

#include <string>

namespace cps::ctl {

/// `YYYY-MM-DD` in UTC, for people.
std::string date_of(EpochSeconds time);

} // namespace cps::ctl
