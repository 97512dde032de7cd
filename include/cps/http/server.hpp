#pragma once

#include "cps/base/error.hpp"
#include "cps/base/unique_handle.hpp"
#include "cps/http/message.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace cps::http {

/// What one client may cost (docs/http-api.md).
struct Limits {
    std::size_t head = 8 * 1024;           // octets; beyond: 431 too_large
    std::size_t body = 64 * 1024;          // octets; beyond: 413 too_large
    std::chrono::seconds header_time{5};   // from the first octet to the whole request: 408
    std::chrono::seconds silent_time{300}; // an accepted connection that says nothing
    std::chrono::seconds answer_time{120}; // a dialog may wait for a person
    std::size_t connections = 64;          // open at once, TCP and Unix apart; beyond: the
                                           // longest silent one is let go, else 503 overloaded
};

/// Who may connect to a Unix socket.
enum class LocalAccess {
    own_user, ///< mode 0600, and the peer's user is looked at (SO_PEERCRED)
    group,    ///< mode 0660: the file's group decides, as for nginx before the gate
};

class Handler {
public:
    virtual ~Handler() = default;
    /// Hands one request over, on the server's thread, so it must not block: `reply` may be
    /// called later and elsewhere. An Error that it throws becomes its problem+json.
    virtual void handle(Request request, Reply reply) = 0;
    /// Words for what the server refuses by itself.
    virtual std::string_view language() const { return "en"; }
};

/// An HTTP/1.1 server on one io_context thread; call it on that thread, or before it runs.
/// Costs no wake-up while nobody speaks. `io` and `handler` must outlive it.
class Server {
public:
    Server(boost::asio::io_context& io, Handler& handler, Limits limits = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Listens on both 127.0.0.1 and [::1], the first port of [first, last] free on both (on
    /// 127.0.0.1 alone where the machine has no IPv6); any port if both are 0. Returns the
    /// port. Each connection's peer is looked up once (Request::peer_user).
    /// @throws Error internal when none is free.
    std::uint16_t listen_loopback(std::uint16_t first, std::uint16_t last);
    /// Listens on `host:port` (a numeric address; any port if 0). Returns the port.
    /// @throws Error internal.
    std::uint16_t listen_tcp(const std::string& host, std::uint16_t port);
    /// A Unix socket, replacing a dead one of the same name; connections of those who may not
    /// are closed at once. @throws Error internal, also if a live process has the socket.
    void listen_local(const std::string& path, LocalAccess access = LocalAccess::own_user);
    /// Serves a connection that another process accepted on the loopback, as if we had: its
    /// peer is looked up here, too. What is no TCP socket is closed.
    void adopt(UniqueFd connection);
    /// Closes listeners and connections. Idempotent.
    void stop();
    std::size_t open_connections() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace cps::http
