#include "connection.hpp"

#include "connections.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace cps::http {

/// `outbox_` holds the head.
void Connection::begin_stream(std::shared_ptr<Stream> stream)
{
    if (peer_ended_)
        return close();
    phase_ = Phase::streaming;
    inbox_ = {};
    stream_ = std::move(stream);
    stream_->attach([mailbox = owner_.mailbox(), connection = weak_from_this()] {
        // The connection is looked for on its own thread, so that it never dies on another.
        mailbox->post([connection] {
            if (const auto found = connection.lock())
                found->guarded([&] { found->stream_on(); });
        });
    });
    read();
    if (send_piece())
        stream_on();
}

/// Sends what waits, one piece at a time: what is written meanwhile wakes us again, so that
/// the others have their turn.
void Connection::stream_on()
{
    if (phase_ != Phase::streaming)
        return;
    if (stream_->too_far_behind()) {
        log::warning("a client that does not take its events is let go");
        return close();
    }
    if (sending_)
        return;
    auto waiting = stream_->take();
    outbox_ = std::move(waiting.octets);
    if (!send_piece())
        return;
    if (!waiting.ended)
        return arm(stream_->beat_.every);
    stream_.reset();
    written();
}

/// Sends `outbox_`; what finds no room goes as soon as there is some, and `stream_on` follows.
/// @return whether all of it is sent; else nothing is left to do here.
bool Connection::send_piece()
{
    if (!send_now()) {
        close();
        return false;
    }
    const bool waited = std::exchange(sending_, !outbox_.empty());
    if (!sending_)
        return true;
    if (!waited)
        arm(write_time);
    socket_.async_wait(Socket::wait_write,
                       [self = shared_from_this()](const boost::system::error_code& ec) {
                           self->guarded([&] {
                               if (ec)
                                   self->close();
                               else if (self->send_piece())
                                   self->stream_on();
                           });
                       });
    return false;
}

/// Takes from `outbox_` what finds room at once. Not Asio's writing, which tells later than the
/// octets left, and so cannot tell in the instant of a stop what a client still lacks.
/// @return false when the client is gone.
bool Connection::send_now() noexcept
{
    if (outbox_.empty())
        return true;
    const auto sent = ::send(socket_.native_handle(), outbox_.data(), outbox_.size(),
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    outbox_.erase(0, static_cast<std::size_t>(sent));
    return true;
}

/// Time is up: for a piece that is not taken, or for the next beat.
void Connection::beat()
{
    if (sending_)
        return close();
    outbox_ = stream_->beat_.octets;
    if (send_piece())
        stream_on();
}

/// A cancelled wait leaves Asio's timerfd set (1.81), which would wake a process at rest once
/// more: a wait that is over sets it anew, while we are awake.
void Connection::ring_now()
{
    timer_.expires_at(SteadyTime::now());
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) {});
}

void Connection::say_farewell() noexcept
{
    if (phase_ != Phase::streaming || !send_now() || !outbox_.empty())
        return;
    outbox_ = stream_->take().octets;
    send_now();
}

} // namespace cps::http
