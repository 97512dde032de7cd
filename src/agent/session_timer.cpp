#include "session_timer.hpp"

#include <boost/asio/post.hpp>

namespace cps::agent {

SessionTimer::SessionTimer(boost::asio::io_context& io, Sessions& sessions)
    : io_{io}, sessions_{sessions}, timer_{io}
{
    sessions.add_observer(*this);
}

void SessionTimer::session_opened(const SessionNews&)
{
    boost::asio::post(io_, [this] { look(); });
}

void SessionTimer::stop()
{
    stopped_ = true;
    timer_.cancel();
}

void SessionTimer::look()
{
    if (stopped_)
        return;
    const auto next = sessions_.sweep();
    if (!next)
        return;
    timer_.expires_at(*next); // what was waited for before hears operation_aborted
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error)
            look();
    });
}

} // namespace cps::agent
