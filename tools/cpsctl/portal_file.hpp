#pragma once

#include "portals.hpp"

#include <string>

namespace cps::ctl {

/// The portal as a file of `portals.d`, which the agent reads to the same Portal.
std::string to_toml(const agent::Portal& portal);

/// `host.toml`, `host-8443.toml`: one name an origin, fit for any file system.
std::string file_name_of(const token::Origin& origin);

} // namespace cps::ctl
