#include "connection.hpp"

#include "connections.hpp"
#include "cps/base/log.hpp"
#include "wire.hpp"

#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <atomic>
#include <utility>

namespace asio = boost::asio;

namespace cps::http {
namespace {

// After the last answer: what is on its way arrives on a loopback within this, and no more
// than this is listened to.
constexpr std::chrono::seconds drain_time{2};
constexpr std::size_t max_drained = 1024 * 1024; // octets
// Pipelined requests may run this far ahead of their answers.
constexpr std::size_t max_ahead = 4 * 1024; // octets

} // namespace

/// The right to answer one request, once, from any thread. Shared by the copies of a Reply;
/// when the last goes without a word, the client is told that we failed.
class Connection::Ticket {
public:
    Ticket(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Connection> connection,
           std::uint64_t serial)
        : mailbox_{std::move(mailbox)}, connection_{std::move(connection)}, serial_{serial}
    {
    }
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket()
    {
        try {
            answer({});
        } catch (...) { // out of memory: the answer's deadline ends the connection
            return;
        }
    }

    /// Nothing stands for a failure of ours.
    void answer(std::optional<Response> response)
    {
        if (used_.exchange(true))
            return;
        // The connection is looked for on its own thread, so that it never dies on another.
        mailbox_->post([connection = std::move(connection_), serial = serial_,
                        response = std::move(response)]() mutable {
            if (const auto found = connection.lock())
                found->guarded([&] { found->answer(serial, std::move(response)); });
        });
    }

private:
    std::shared_ptr<Mailbox> mailbox_;
    std::weak_ptr<Connection> connection_;
    std::uint64_t serial_;
    std::atomic<bool> used_ = false;
};

Connection::Connection(Connections& owner, Socket socket, Peer peer, bool over_limit)
    : owner_{owner},
      socket_{std::move(socket)},
      timer_{socket_.get_executor()},
      peer_{peer},
      over_limit_{over_limit},
      silent_since_{SteadyTime::now()},
      language_{owner.handler().language()}
{
}

std::optional<SteadyTime::time_point> Connection::silent_since() const noexcept
{
    if (phase_ == Phase::silent || phase_ == Phase::draining)
        return silent_since_;
    return std::nullopt;
}

void Connection::start()
{
    guarded([&] {
        if (over_limit_)
            return refuse(Errc::overloaded);
        arm(owner_.limits().silent_time);
        read();
    });
}

void Connection::close() noexcept
{
    if (phase_ == Phase::closed)
        return;
    const auto self = shared_from_this();
    phase_ = Phase::closed;
    boost::system::error_code ignored;
    socket_.close(ignored);
    const bool beat_was_to_come = stream_ != nullptr;
    stream_.reset();
    try {
        timer_.cancel();
        if (beat_was_to_come)
            ring_now();
        if (gone_)
            gone_->request_stop();
    } catch (const std::exception&) {
        log::error("a connection's timer could not be stopped");
    }
    owner_.forget(*this);
}

void Connection::arm(SteadyTime::duration time)
{
    timer_.expires_after(time);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
        // A timer that was set anew after it had run out still calls.
        if (!ec && self->timer_.expiry() <= SteadyTime::now())
            self->guarded([&] { self->expired(); });
    });
}

void Connection::expired()
{
    switch (phase_) {
    case Phase::reading: return refuse(Errc::timeout);
    case Phase::answering:
        log::error("a request was not answered in time");
        // Not 408: browsers repeat a request on that, and with it a dialog.
        return refuse(Errc::internal);
    case Phase::streaming: return beat();
    case Phase::silent:
    case Phase::writing:
    case Phase::draining:
    case Phase::closed: return close();
    }
}

/// One read at a time, always on while somebody may still say something: so the end of the
/// client is seen while the handler works.
void Connection::read()
{
    const bool ahead = phase_ == Phase::answering || phase_ == Phase::writing;
    if (receiving_ || peer_ended_ || (ahead && inbox_.size() >= max_ahead))
        return;
    receiving_ = true;
    socket_.async_read_some(
        asio::buffer(chunk_),
        [self = shared_from_this()](const boost::system::error_code& ec, std::size_t size) {
            self->receiving_ = false;
            self->guarded([&] { self->received(static_cast<bool>(ec), size); });
        });
}

void Connection::received(bool ended, std::size_t size)
{
    if (ended)
        return peer_ended();
    if (phase_ == Phase::draining) {
        drained_ += size;
        return drained_ > max_drained ? close() : read();
    }
    if (phase_ == Phase::streaming)
        return close(); // nothing can be asked behind a stream
    inbox_.append(chunk_.data(), size);
    if (phase_ == Phase::answering || phase_ == Phase::writing)
        return read();
    proceed();
}

void Connection::peer_ended()
{
    peer_ended_ = true;
    switch (phase_) {
    case Phase::answering:
        // It may only have shut its own side, so an answer is still sent.
        if (gone_)
            gone_->request_stop();
        return;
    case Phase::writing:
    case Phase::closed: return;
    case Phase::silent:
    case Phase::reading:
    case Phase::streaming:
    case Phase::draining: return close();
    }
}

/// Reads on in what has come, from `silent` or `reading`.
void Connection::proceed()
{
    if (phase_ == Phase::silent) {
        phase_ = Phase::reading;
        reader_.emplace(owner_.limits().head, owner_.limits().body);
        arm(owner_.limits().header_time);
    }
    switch (reader_->feed(inbox_)) {
    case RequestReader::Step::wants_body:
        if (!send_continue())
            return close();
        [[fallthrough]];
    case RequestReader::Step::needs_more: return peer_ended_ ? close() : read();
    case RequestReader::Step::complete: return hand_over();
    case RequestReader::Step::refused: break;
    }
    const auto refusal = reader_->refusal();
    head_only_ = reader_->request().method == "HEAD";
    language_ = language_of(reader_->request(), owner_.handler().language());
    refuse(refusal.code, refusal.status);
}

/// Nothing else is being written now, so these few octets find room or nobody reads them.
bool Connection::send_continue()
{
    constexpr std::string_view word = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto sent =
        ::send(socket_.native_handle(), word.data(), word.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent == static_cast<ssize_t>(word.size());
}

void Connection::hand_over()
{
    auto request = std::move(reader_->request());
    keep_alive_ = reader_->keep_alive();
    http_1_0_ = reader_->http_1_0();
    head_only_ = request.method == "HEAD";
    language_ = language_of(request, owner_.handler().language());
    reader_.reset();

    phase_ = Phase::answering;
    arm(owner_.limits().answer_time);
    gone_.emplace();
    request.local = peer_.local;
    request.peer_user = peer_.user;
    request.gone = gone_->get_token();
    const auto ticket = std::make_shared<Ticket>(owner_.mailbox(), weak_from_this(), ++serial_);
    // Before the handler has it: a handler may stop the server.
    read();
    try {
        owner_.handler().handle(std::move(request),
                                [ticket](Response r) { ticket->answer(std::move(r)); });
    } catch (const Error& e) {
        log::error(e);
        ticket->answer(problem(e.code(), language_));
    } catch (...) {
        log::error("a handler failed");
        ticket->answer({});
    }
}

void Connection::answer(std::uint64_t serial, std::optional<Response> response)
{
    if (phase_ == Phase::answering && serial == serial_)
        write(response ? *std::move(response) : problem(Errc::internal, language_));
}

/// An error of the client's or ours after which what follows on the wire is not believed.
void Connection::refuse(Errc code, unsigned status)
{
    keep_alive_ = false;
    write(problem(code, language_, {}, status));
}

void Connection::write(Response response)
{
    if (!well_formed(response)) {
        log::error("a handler's answer is not HTTP");
        response = problem(Errc::internal, language_);
    }
    const bool goes_on = response.stream && !head_only_;
    if (goes_on)
        keep_alive_ = false;
    outbox_ = to_octets(
        response, {keep_alive_, head_only_, http_1_0_,
                   std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())});
    reader_.reset();
    gone_.reset();
    if (goes_on)
        return begin_stream(std::move(response.stream));
    phase_ = Phase::writing;
    arm(write_time);
    asio::async_write(
        socket_, asio::buffer(outbox_),
        [self = shared_from_this()](const boost::system::error_code& ec, std::size_t) {
            self->guarded([&] { ec ? self->close() : self->written(); });
        });
}

void Connection::written()
{
    outbox_ = {};
    silent_since_ = SteadyTime::now();
    if (keep_alive_)
        return next_request();
    boost::system::error_code ec;
    socket_.shutdown(Socket::shutdown_send, ec);
    if (ec || peer_ended_)
        return close();
    phase_ = Phase::draining;
    inbox_ = {};
    arm(drain_time);
    read();
}

void Connection::next_request()
{
    phase_ = Phase::silent;
    head_only_ = false;
    language_ = owner_.handler().language();
    if (!inbox_.empty())
        return proceed();
    if (peer_ended_)
        return close();
    arm(owner_.limits().silent_time);
    read();
}

} // namespace cps::http
