#pragma once

#include "config.hpp"
#include "portals.hpp"

#include <filesystem>

namespace cps::ctl {

/// What the agent of this person is configured for, read from the same files.
struct Registered {
    agent::Config config;
    agent::Portals by_it;      ///< /etc/cps-agent/portals.d
    agent::Portals by_person;  ///< empty where IT allows none
    std::filesystem::path own; ///< the person's portals.d
};

/// @throws AgentRefused bad_configuration, where the agent would not run either.
Registered read_registered(const std::filesystem::path& config_file);

/// `cpsctl portal add URL`: reads what the portal publishes, shows it, asks the person, and
/// registers it for that person alone.
struct AddOptions {
    std::string url, ca, config, socket;
};
int add_portal(const AddOptions& options);

/// Name, site, features and addresses, in the language of the person's locale.
void print_portal(const agent::Portal& portal);

} // namespace cps::ctl
