#pragma once

#include "session_events.hpp"
#include "sessions.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cps::agent {

/// Ends sessions that are idle or too old, on time, without waking up for anything else.
/// Everything on `io`'s thread, but the events.
class SessionTimer final : public SessionEvents {
public:
    SessionTimer(boost::asio::io_context& io, Sessions& sessions);
    void session_opened(const SessionNews&) override;
    /// So that `io` may come to its end.
    void stop();

private:
    void look();
    boost::asio::io_context& io_;
    Sessions& sessions_;
    boost::asio::steady_timer timer_;
    bool stopped_ = false;
};

} // namespace cps::agent
