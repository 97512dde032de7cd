#pragma once

#include <string>

namespace cps::ctl {

/// Reads the description that a portal publishes of itself: one GET, no redirect, at most 64
/// KiB, 10 s in all; TLS 1.2 or later with a certificate that the system trusts (or an
/// authority in `ca_file`, PEM). The only place that sees libcurl.
class PortalFetch {
public:
    /// @param ca_file empty: the system's authorities.
    explicit PortalFetch(std::string ca_file) : ca_file_{std::move(ca_file)} {}
    /// @param url https, or http for a loopback address.
    /// @throws AgentRefused portal_unreachable, portal_invalid.
    std::string get(const std::string& url) const;

private:
    std::string ca_file_;
};

} // namespace cps::ctl
