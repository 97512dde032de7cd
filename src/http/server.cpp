#include "cps/http/server.hpp"

#include "connections.hpp"
#include "cps/base/log.hpp"
#include "cps/base/peer_user.hpp"
#include "listener.hpp"

#include "sockets.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace cps::http {
namespace {

// Ports that the system chooses may be taken on the other address family.
constexpr int max_chosen_ports = 16;

/// What a listener is for, and so what is asked about those who come.
enum class Door {
    loopback, ///< TCP from this machine: whose the peer is
    tcp,      ///< TCP from anywhere
    own_user, ///< a Unix socket: the peer must be ours
    group,    ///< a Unix socket: the file's group has decided
};

std::optional<uid_t> user_at(Door door, int fd) noexcept
{
    switch (door) {
    case Door::loopback: return tcp_peer_user(fd);
    case Door::tcp: return std::nullopt;
    case Door::own_user:
    case Door::group: return local_peer_user(fd);
    }
    return std::nullopt;
}

bool is_tcp(int fd) noexcept
{
    int family = 0;
    int protocol = 0;
    socklen_t size = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
           (family == AF_INET || family == AF_INET6) && protocol == IPPROTO_TCP;
}

} // namespace

struct Server::State {
    State(boost::asio::io_context& context, Handler& handler, const Limits& limits)
        : io{context}, connections{context, handler, limits}
    {
    }

    void open(UniqueFd fd, Door door)
    {
        const bool local = door == Door::own_user || door == Door::group;
        auto listener = std::make_shared<Listener>(
            io, std::move(fd),
            Doorway{[this, local, door](UniqueFd accepted) {
                        const auto user = user_at(door, accepted.get());
                        if (door == Door::own_user && user != geteuid())
                            return log::warning("another user tried the local socket");
                        connections.admit(std::move(accepted), {local, user});
                    },
                    [this, local] { connections.make_room(local); }});
        listener->start();
        listeners.push_back(std::move(listener));
    }

    /// Both addresses or none; false where the port is taken.
    bool open_loopback(std::uint16_t& port)
    {
        Listening v4;
        Listening v6;
        try {
            v4 = listen_on(Loopback::v4, port);
            v6 = listen_on(Loopback::v6, v4.port);
        } catch (const Error& e) {
            if (e.native() == EADDRINUSE)
                return false;
            if (!v4.fd || !means_absent(e.native()))
                throw;
            log::notice("no IPv6 here: listening on 127.0.0.1 alone");
        }
        port = v4.port;
        open(std::move(v4.fd), Door::loopback);
        if (v6.fd)
            open(std::move(v6.fd), Door::loopback);
        return true;
    }

    void stop() noexcept
    {
        for (const auto& listener : listeners)
            listener->close();
        connections.close_all();
        listeners.clear();
        files.clear();
    }

    boost::asio::io_context& io;
    Connections connections;
    std::vector<std::shared_ptr<Listener>> listeners;
    std::vector<std::unique_ptr<LocalSocket>> files;
};

Server::Server(boost::asio::io_context& io, Handler& handler, Limits limits)
    : state_{std::make_unique<State>(io, handler, limits)}
{
}

Server::~Server()
{
    stop();
}

std::uint16_t Server::listen_loopback(std::uint16_t first, std::uint16_t last)
{
    const int tries = first == 0 ? max_chosen_ports : last - first + 1;
    for (int i = 0; i < tries; ++i) {
        auto port = static_cast<std::uint16_t>(first == 0 ? 0 : first + i);
        if (state_->open_loopback(port))
            return port;
    }
    throw Error{Errc::internal, "no port is free on the loopback", EADDRINUSE};
}

std::uint16_t Server::listen_tcp(const std::string& host, std::uint16_t port)
{
    auto listening = listen_on(host, port);
    state_->open(std::move(listening.fd), Door::tcp);
    return listening.port;
}

void Server::listen_local(const std::string& path, LocalAccess access)
{
    const bool own_user = access == LocalAccess::own_user;
    auto file = std::make_unique<LocalSocket>(path, own_user ? 0600 : 0660);
    auto fd = file->take();
    state_->files.push_back(std::move(file));
    state_->open(std::move(fd), own_user ? Door::own_user : Door::group);
}

void Server::adopt(UniqueFd connection)
{
    const int fd = connection.get();
    if (!is_tcp(fd) || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        return log::warning("what was handed over is no connection");
    state_->connections.admit(std::move(connection), {false, user_at(Door::loopback, fd)});
}

void Server::stop()
{
    state_->stop();
}

std::size_t Server::open_connections() const
{
    return state_->connections.size();
}

} // namespace cps::http
