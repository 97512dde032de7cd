#pragma once

#include <cstdint>
#include <string>

namespace cps::ctl {

/// Which program of this user listens on 127.0.0.1:`port` (or on every address), as
/// `name (pid N)`; empty where it is another user's, or cannot be told. Reads /proc.
std::string program_listening_on(std::uint16_t port);

} // namespace cps::ctl
