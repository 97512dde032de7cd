#pragma once

#include "config.hpp"
#include "portals.hpp"

#include "cps/base/error.hpp"
#include "cps/http/message.hpp"
#include "cps/token/values.hpp"

#include <cstdint>

namespace cps::agent {

/// A caller that was let in. `portal` is null for an unknown origin, which may reach the
/// login feature alone.
struct Caller {
    token::Origin origin;
    const Portal* portal = nullptr;
};

/// The "who is let in" table of docs/http-api.md, for the checks that read the request alone.
/// Pure: no socket, no state.
class Admission {
public:
    Admission(const Config& config, const Portals& portals, std::uint16_t port) noexcept
        : config_{&config}, portals_{&portals}, port_{port}
    {
    }

    /// Host, Origin and Sec-Fetch, in this order. Errors: host_refused, origin_refused.
    Result<Caller> admit(const http::Request& request) const;
    /// For calls that change something: Content-Type and CPS-Agent, which force a preflight.
    /// Errors: media_type_refused, origin_refused.
    static Result<void> admit_change(const http::Request& request);

private:
    bool is_our_host(std::string_view host) const;
    const Config* config_;
    const Portals* portals_;
    std::uint16_t port_;
};

} // namespace cps::agent
