#pragma once

#include "vcard/device.hpp"

#include <string>
#include <string_view>

namespace cps::vcard {

/// Obeys one line of the control socket: insert, remove, reset, block, delay MS, fail SW [N],
/// truncate N, mute, status. @return "ok", "ok key=value …" or "error why", without newline.
std::string obey(Device& device, std::string_view line);

} // namespace cps::vcard
