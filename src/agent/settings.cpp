#include "settings.hpp"

#include "runtime_dir.hpp"

#include "cps/base/log.hpp"

namespace cps::agent {

std::optional<Settings> Settings::load(const std::filesystem::path& file,
                                       std::vector<ConfigProblem>& problems)
{
    auto config = Config::load(file, problems);
    Portals portals;
    if (config) {
        portals.load(file.parent_path() / "portals.d", config->allow_http_loopback, problems);
        if (config->personal_portals)
            if (const auto own = personal_config_dir(); !own.empty())
                portals.load(own / "portals.d", config->allow_http_loopback, problems);
    }
    for (const auto& problem : problems)
        log::warning(problem.str());
    if (!config)
        return std::nullopt;
    return Settings{std::move(*config), std::move(portals), problems};
}

} // namespace cps::agent
