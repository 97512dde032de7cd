#pragma once

#include "cps/base/unique_handle.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace cps::agent {

/// `$XDG_RUNTIME_DIR/cps-agent`, or empty.
std::filesystem::path default_runtime_dir();
/// `$XDG_CONFIG_HOME/cps-agent` or `~/.config/cps-agent`, or empty.
std::filesystem::path personal_config_dir();
/// `$XDG_STATE_HOME/cps-agent` or `~/.local/state/cps-agent`, or empty.
std::filesystem::path personal_state_dir();
/// cps-agent-worker: beside this program (a build folder), else in the private programs'
/// folder of the package. @throws Error module_failed where it is in neither.
std::string worker_path();
/// cps-agent-poster, likewise.
std::string poster_path();
/// cps-agent-guard, likewise.
std::string guard_path();

/// The agent's folder at run time, mode 0700: `control.sock` and `port`, which go when the
/// object goes, and `lock`, by which one agent at a time has the folder.
class RuntimeDir {
public:
    /// @throws Error busy where another agent has the folder; internal where it is somebody
    /// else's or cannot be made.
    explicit RuntimeDir(std::filesystem::path path);
    ~RuntimeDir();
    RuntimeDir(const RuntimeDir&) = delete;
    RuntimeDir& operator=(const RuntimeDir&) = delete;

    std::string control_socket() const { return path_ / "control.sock"; }
    /// One line, written whole or not at all.
    void write_port(std::uint16_t port) const;

private:
    std::filesystem::path path_;
    UniqueFd lock_;
};

} // namespace cps::agent
