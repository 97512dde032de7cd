#pragma once

#include "cps/token/values.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cps::portal {

/// The loopback ports where a page looks for the agent (docs/http-api.md).
struct AgentPorts {
    static constexpr std::uint16_t most = 64; // ports: each stands in the page's policy
    std::uint16_t first = 27743;
    std::uint16_t last = 27762;

    /// `N` or `FIRST-LAST`.
    static std::optional<AgentPorts> parse(std::string_view text);
    std::string str() const;
};

struct ListenAddress {
    std::string host; ///< 127.0.0.1 or ::1
    std::uint16_t port = 0;

    /// `127.0.0.1:PORT` or `[::1]:PORT`; empty for anything that is not loopback: other
    /// machines are served by nginx, with TLS (nginx.conf.in).
    static std::optional<ListenAddress> parse(std::string_view text);
};

struct Settings {
    std::filesystem::path trust;    ///< PEM: issuing CAs of the cards
    std::filesystem::path accounts; ///< TOML
    ListenAddress listen{"127.0.0.1", 0};
    std::optional<token::Origin>
        origin; ///< what browsers see; none: http on the listen address
    AgentPorts agent_ports;
    std::vector<std::string> policies; ///< dotted OIDs that a card's certificate may carry
    std::optional<std::filesystem::path> web; ///< page files instead of those built in
};

/// Settings from the command line and `--config FILE` (TOML, the same names). Prints help or a
/// complaint itself; then `exit_code` says what to end with.
struct CommandLine {
    Settings settings;
    bool hash_password = false;
    std::optional<int> exit_code;
};
CommandLine read_command_line(int argc, char** argv);

} // namespace cps::portal
