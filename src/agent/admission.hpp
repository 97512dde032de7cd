#pragma once

#include "config.hpp"
#include "portals.hpp"

#include "cps/base/error.hpp"
#include "cps/http/message.hpp"
#include "cps/token/values.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace cps::agent {

/// A caller that was let in. `portal` is null for an unknown origin, which may reach the
/// login feature alone.
struct Caller {
    token::Origin origin;
    const Portal* portal = nullptr;
    /// An unknown origin: the registered one that it looks like, or empty.
    std::string resembles{};
};

/// The "who is let in" table of docs/http-api.md, for the checks that read the request alone.
/// Pure: no socket, no state.
class Admission {
public:
    /// `user` is the agent's own: no other is let in.
    Admission(const Config& config, const Portals& portals, std::uint16_t port,
              uid_t user) noexcept
        : config_{&config}, portals_{&portals}, port_{port}, user_{user}
    {
    }

    /// Whether IT lets that origin ask at all: registered, or unknown, https and "login".
    /// Errors: origin_refused.
    static Result<Caller> admit_origin(const token::Origin& origin, const Config& config,
                                       const Portals& portals);
    /// The peer's user, Host, Origin and Sec-Fetch, in this order. Errors: wrong_user,
    /// host_refused, origin_refused.
    Result<Caller> admit(const http::Request& request) const;
    /// For calls that change something: Content-Type and CPS-Agent, which force a preflight.
    /// Errors: media_type_refused, origin_refused.
    static Result<void> admit_change(const http::Request& request);

    /// What of the person's status page is asked for.
    enum class PagePart {
        page, ///< the page itself, by navigation
        file, ///< what it loads
        call, ///< what its script calls
    };
    /// The peer's user and Host, then: no foreign Origin; where sent, Sec-Fetch-Mode and -Dest
    /// of a navigation for the page, Sec-Fetch-Site same-origin for its files; a call must be
    /// same-origin and carry CPS-Agent. Errors: wrong_user, host_refused, origin_refused.
    Result<void> admit_page(const http::Request& request, PagePart part) const;

private:
    Result<void> admit_peer(const http::Request& request) const;
    bool is_our_host(std::string_view host) const;
    const Config* config_;
    const Portals* portals_;
    std::uint16_t port_;
    uid_t user_;
};

} // namespace cps::agent
