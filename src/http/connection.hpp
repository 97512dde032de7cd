#pragma once

#include "cps/base/log.hpp"
#include "cps/http/message.hpp"
#include "cps/http/stream.hpp"
#include "request_reader.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/wait_traits.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace cps::http {

class Connections;

// One protocol and one executor for TCP and Unix sockets: one set of templates to compile.
using Executor = boost::asio::io_context::executor_type;
using Socket =
    boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, Executor>;
using SteadyTime = std::chrono::steady_clock;
using Timer = boost::asio::basic_waitable_timer<SteadyTime,
                                                boost::asio::wait_traits<SteadyTime>, Executor>;

/// What was known of a client when it was accepted.
struct Peer {
    bool local = false; ///< on a Unix socket
    std::optional<uid_t> user;
};

/// One client's socket and the request that is on it. Owned by Connections, and by its own
/// pending operations until they are told that it closed. Server's thread only.
class Connection final : public std::enable_shared_from_this<Connection> {
public:
    /// @param over_limit the connection is one too many: it gets 503 and goes.
    Connection(Connections& owner, Socket socket, Peer peer, bool over_limit);

    void start();
    /// Idempotent. `owner` is not looked at afterwards.
    void close() noexcept;
    /// The server ends: a stream's last words are sent if they find room at once.
    void say_farewell() noexcept;

    bool local() const noexcept { return peer_.local; }
    bool over_limit() const noexcept { return over_limit_; }
    /// Since when nothing is asked of us, if so: such a connection may be let go for another.
    std::optional<SteadyTime::time_point> silent_since() const noexcept;

private:
    enum class Phase {
        silent,    // no octet of a request yet
        reading,   // part of a request is here
        answering, // the handler has it
        writing,   // its answer is on the way
        streaming, // its answer goes on for as long as the client listens
        draining,  // answered and shut; swallows what the client still sends, so that a
                   // reset does not take the answer from it
        closed,
    };

    // A client that does not take its answer is not there.
    static constexpr std::chrono::seconds write_time{10};

    template <class Work>
    void guarded(Work&& work) noexcept;
    void arm(SteadyTime::duration time);
    void expired();
    void read();
    void received(bool ended, std::size_t size);
    void peer_ended();
    void proceed();
    bool send_continue();
    void hand_over();
    void answer(std::uint64_t serial, std::optional<Response> response);
    void refuse(Errc code, unsigned status = 0);
    void write(Response response);
    void written();
    void next_request();

    // connection_stream.cpp
    void begin_stream(std::shared_ptr<Stream> stream);
    void stream_on();
    bool send_piece();
    bool send_now() noexcept;
    void beat();
    void ring_now();

    class Ticket;

    Connections& owner_;
    Socket socket_;
    Timer timer_;
    const Peer peer_;
    const bool over_limit_;
    Phase phase_ = Phase::silent;
    SteadyTime::time_point silent_since_;
    bool receiving_ = false;  // a read is pending
    bool peer_ended_ = false; // the client will send nothing more
    bool keep_alive_ = false;
    bool head_only_ = false;
    bool http_1_0_ = false;
    std::uint64_t serial_ = 0; // of the request that is being answered
    std::size_t drained_ = 0;
    std::string language_;                // of what we refuse ourselves
    std::optional<RequestReader> reader_; // none while silent
    std::optional<std::stop_source> gone_;
    std::string inbox_; // received, not yet read: at most one request ahead
    std::string outbox_;
    std::shared_ptr<Stream> stream_; // while streaming; its writers see it go
    bool sending_ = false;           // while streaming: `outbox_` waits for room
    std::array<char, 4096> chunk_;
};

/// Nothing may unwind into the io_context: it would take every other connection with it.
template <class Work>
void Connection::guarded(Work&& work) noexcept
{
    if (phase_ == Phase::closed)
        return;
    try {
        work();
    } catch (...) {
        log::error("a connection is closed after an exception");
        close();
    }
}

} // namespace cps::http
