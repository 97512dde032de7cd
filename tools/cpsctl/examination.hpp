#pragma once

#include "findings.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace cps::ctl {

/// What `cpsctl doctor` looks at.
struct Patient {
    std::filesystem::path configuration; ///< agent.toml; portals.d lies beside it
    std::string control_socket;
};

/// Looks at configuration, clock, reader service, readers, cards, module, certificates, agent
/// and port, with no help of the agent's, and asks for no PIN. Takes a few seconds; changes
/// nothing. A worker process loads the module.
std::vector<Finding> examine(const Patient& patient);

} // namespace cps::ctl
