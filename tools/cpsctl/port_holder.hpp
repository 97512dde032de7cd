#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace cps::ctl {

/// Who listens where pages look for the agent.
struct PortHolder {
    uid_t user = 0;
    std::string program; ///< `name (pid N)`; empty where it is another user's
    /// The program and the user's name, for the person.
    std::string str() const;
};

/// The holder of 127.0.0.1:`port` (or of that port on every address), if there is one. Reads
/// /proc.
std::optional<PortHolder> port_holder(std::uint16_t port);

/// Whether `holder` is the broker whose socket for agents is `socket`: root's systemd made
/// both, and nobody else could have put the socket there.
bool is_broker(const PortHolder& holder, const std::filesystem::path& socket);

} // namespace cps::ctl
