#pragma once

#include "admission.hpp"
#include "card_reading.hpp"
#include "config.hpp"
#include "desk.hpp"
#include "event_streams.hpp"
#include "journal.hpp"
#include "login_session.hpp"
#include "page_streams.hpp"
#include "portals.hpp"
#include "presence.hpp"
#include "reload.hpp"
#include "tickets.hpp"

#include "cps/http/message.hpp"
#include "cps/http/server.hpp"

#include <unistd.h>

#include <cstdint>
#include <vector>

namespace cps::agent {

/// All that a route's handler may use.
struct Services {
    const Config& config;
    const Portals& portals;
    const std::vector<ConfigProblem>& problems;
    const Presence& presence;
    Desk& desk;
    Journal& journal;
    Sessions& sessions;
    Consents& consents;
    Tickets& tickets;
    EventStreams& events;
    PageStreams& pages;
    CardReading& cards;
    std::string_view
        language;           ///< "fr" or "en": of dialogs, and of words where a page names none
    std::uint16_t port = 0; ///< of the browsers' listener, once it listens
    const LoginSession* login = nullptr; ///< null where nobody listens to it
    Reload* reload = nullptr;            ///< null where nothing is read anew
};

/// What browsers reach over TCP (docs/http-api.md). Every request passes Admission first.
class BrowserRoutes final : public http::Handler {
public:
    explicit BrowserRoutes(Services services) noexcept
        : services_{services}, admission_{services.config, services.portals, 0, geteuid()}
    {
    }
    /// The port that a Host must name; call it before the first request.
    void listening_on(std::uint16_t port) noexcept
    {
        services_.port = port;
        admission_ = Admission{services_.config, services_.portals, port, geteuid()};
    }
    void handle(http::Request request, http::Reply reply) override;
    std::string_view language() const override { return services_.language; }

private:
    Services services_;
    Admission admission_;
};

/// What the person's own tools reach over the control socket; the socket itself has checked
/// whose they are.
class ControlRoutes final : public http::Handler {
public:
    ControlRoutes(Services services, std::uint16_t port) noexcept : services_{services}
    {
        services_.port = port;
    }
    void handle(http::Request request, http::Reply reply) override;
    std::string_view language() const override { return services_.language; }

private:
    Services services_;
};

} // namespace cps::agent
