#include "connection.hpp"

#include "connections.hpp"

#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <utility>

namespace asio = boost::asio;

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
    send_piece();
}

/// Sends what waits, one piece at a time.
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
    if (!outbox_.empty())
        return send_piece();
    if (!waiting.ended)
        return arm(stream_->beat_.every);
    stream_.reset();
    written();
}

void Connection::send_piece()
{
    sending_ = true;
    arm(write_time);
    asio::async_write(
        socket_, asio::buffer(outbox_),
        [self = shared_from_this()](const boost::system::error_code& ec, std::size_t) {
            self->sending_ = false;
            self->guarded([&] { ec ? self->close() : self->stream_on(); });
        });
}

/// Time is up: for a piece that is not taken, or for the next beat.
void Connection::beat()
{
    if (sending_)
        return close();
    outbox_ = stream_->beat_.octets;
    send_piece();
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
    if (phase_ != Phase::streaming || sending_)
        return;
    const auto last = stream_->take().octets;
    [[maybe_unused]] const auto sent =
        ::send(socket_.native_handle(), last.data(), last.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

} // namespace cps::http
