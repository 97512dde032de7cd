#pragma once

#include "desk.hpp"
#include "event_streams.hpp"
#include "page_streams.hpp"
#include "sessions.hpp"
#include "settings.hpp"

#include "cps/base/error.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace cps::agent {

/// Reads the configuration anew while the agent runs: at SIGHUP, and at the word of the
/// person's own tools. On the thread of HTTP alone, which is where portals are looked up.
///
/// Taken at once: portals, `unknown_origins`, `allow_http_loopback`, `personal_portals`,
/// `log_level`. The other settings are those of the start; what changed of them is told.
/// A file that is bad is told with its line, and what it said before goes on.
class Reload {
public:
    /// While a dialog is open, what it shows is kept; so many times.
    static constexpr std::size_t max_kept = 16;

    struct Done {
        bool taken = false; ///< false: agent.toml cannot be used, and all is as it was
        std::vector<std::string_view> restart; ///< settings that changed and want a restart
    };

    /// @param settings those that everything else refers to.
    Reload(std::filesystem::path file, Settings& settings, Sessions& sessions, const Desk& desk,
           EventStreams& events, PageStreams& pages);
    /// Errors: busy (read too often while one dialog is open).
    Result<Done> run();

private:
    const std::filesystem::path file_;
    Settings& settings_;
    Sessions& sessions_;
    const Desk& desk_;
    EventStreams& events_;
    PageStreams& pages_;
};

} // namespace cps::agent
