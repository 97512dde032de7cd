#pragma once

#include "portals.hpp"
#include "presence.hpp"
#include "session_events.hpp"

#include "cps/base/error.hpp"
#include "cps/http/stream.hpp"
#include "cps/token/values.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace cps::agent {

/// What the event streams of portals' pages tell: the card, as /v1/status does, and the end of
/// a session to the origin that opened it. An open session is not told: its name is what makes
/// feature tokens, and it stays with the page that has it. Thread-safe; waits for no client.
class EventStreams final : public SessionEvents {
public:
    // A browser has six connections for a site's pages, and streams leave two for calls.
    static constexpr std::size_t max_of_origin = 4;
    static constexpr std::size_t max_in_all = 24; // of http::Limits' 64 connections

    /// A stream that tells at once how the card is. Errors: overloaded.
    Result<std::shared_ptr<http::Stream>> open(const token::Origin& origin);

    void cards_are(const CardStatus& now) noexcept;
    void session_ended(const SessionNews& news, SessionEnd reason) override;
    /// Ends those of portals that are not registered (any more).
    void end_strangers(const Portals& registered);

private:
    struct Open {
        token::Origin origin;
        std::weak_ptr<http::Stream> stream; ///< its connection's
    };
    std::mutex mutex_;
    CardStatus card_;
    std::vector<Open> open_;
};

/// What `GET /v1/status` and the event `card` say.
boost::json::object to_json(const CardStatus& status);

} // namespace cps::agent
