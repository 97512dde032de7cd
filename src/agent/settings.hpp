#pragma once

#include "config.hpp"
#include "portals.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace cps::agent {

/// All that the configuration files say: agent.toml, IT's portals beside it, the person's own.
struct Settings {
    Config config;
    Portals portals;
    std::vector<ConfigProblem> problems;

    /// Every problem goes to `problems` and to the log. Empty when agent.toml cannot be used.
    static std::optional<Settings> load(const std::filesystem::path& file,
                                        std::vector<ConfigProblem>& problems);
};

} // namespace cps::agent
