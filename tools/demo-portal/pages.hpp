#pragma once

#include "settings.hpp"

#include "cps/http/message.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace cps::portal {

/// The page and its files: built in, or read from a folder while one works on them.
class Pages {
public:
    /// @param folder files instead of those built in, read anew each time.
    Pages(std::optional<std::filesystem::path> folder, const AgentPorts& ports);

    /// The file of that path (`/` is the page); empty if there is none.
    std::optional<http::Response> find(std::string_view path) const;

    /// Content-Security-Policy for everything that the portal serves: its own files alone,
    /// connections to itself and to the agent's loopback ports, no frame around it.
    const std::string& security_policy() const noexcept { return security_policy_; }

private:
    std::optional<std::filesystem::path> folder_;
    AgentPorts ports_;
    std::string security_policy_;
};

} // namespace cps::portal
