#include "sockets.hpp"

#include "cps/base/error.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace cps::http {
namespace {

// Connections that wait for accept(2) while the thread is busy.
constexpr int backlog = 512;

constexpr int kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

/// An address of any family, as the socket calls want it.
class Address {
public:
    explicit Address(const sockaddr_in& v4) : size_{sizeof v4}
    {
        std::memcpy(&storage_, &v4, sizeof v4);
    }
    explicit Address(const sockaddr_in6& v6) : size_{sizeof v6}
    {
        std::memcpy(&storage_, &v6, sizeof v6);
    }
    explicit Address(const sockaddr_un& local) : size_{sizeof local}
    {
        std::memcpy(&storage_, &local, sizeof local);
    }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t size() const { return size_; }
    int family() const { return storage_.ss_family; }

private:
    sockaddr_storage storage_{};
    socklen_t size_;
};

Address tcp_address(const std::string& host, std::uint16_t port)
{
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1)
        return Address{v4};
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1)
        return Address{v6};
    throw Error{Errc::internal, "the address to listen on is not a numeric one", EINVAL};
}

std::uint16_t port_of(int fd)
{
    sockaddr_in6 name{}; // the port is where sockaddr_in has it
    socklen_t size = sizeof name;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0)
        throw Error{Errc::internal, "a socket does not tell its port", errno};
    return ntohs(name.sin6_port);
}

UniqueFd new_socket(int family)
{
    UniqueFd fd{socket(family, kind, 0)};
    if (!fd)
        throw Error{Errc::internal, "no socket to be had", errno};
    return fd;
}

void start_listening(int fd, const Address& address)
{
    if (bind(fd, address.get(), address.size()) != 0)
        throw Error{Errc::internal, "the address cannot be bound", errno};
    if (listen(fd, backlog) != 0)
        throw Error{Errc::internal, "the address cannot be listened on", errno};
}

Address local_address(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        throw Error{Errc::internal, "the socket's path is too long", ENAMETOOLONG};
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return Address{address};
}

/// Takes a socket away that nobody listens on.
void remove_stale(const std::string& path, const Address& address)
{
    struct stat found = {};
    if (lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT)
            return;
        throw Error{Errc::internal, "the socket's path cannot be looked at", errno};
    }
    if (!S_ISSOCK(found.st_mode) || found.st_uid != geteuid())
        throw Error{Errc::internal, "something else has the socket's name", EEXIST};
    const auto probe = new_socket(AF_UNIX);
    // Only a refusal proves that nobody is there: EAGAIN is a full queue of a live one.
    if (connect(probe.get(), address.get(), address.size()) == 0 || errno != ECONNREFUSED)
        throw Error{Errc::internal, "another process listens on the socket", EADDRINUSE};
    if (unlink(path.c_str()) != 0 && errno != ENOENT)
        throw Error{Errc::internal, "a dead socket cannot be removed", errno};
}

} // namespace

Listening listen_on(const std::string& numeric_host, std::uint16_t port)
{
    const auto address = tcp_address(numeric_host, port);
    auto fd = new_socket(address.family());
    const int on = 1;
    if (setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        (address.family() == AF_INET6 &&
         setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0))
        throw Error{Errc::internal, "a socket option is refused", errno};
    start_listening(fd.get(), address);
    const auto bound = port_of(fd.get());
    return {std::move(fd), bound};
}

Listening listen_on(Loopback family, std::uint16_t port)
{
    switch (family) {
    case Loopback::v4: return listen_on("127.0.0.1", port);
    case Loopback::v6: break;
    }
    return listen_on("::1", port);
}

bool means_absent(long error) noexcept
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPROTONOSUPPORT;
}

LocalSocket::LocalSocket(const std::string& path, mode_t mode) : path_{path}
{
    const auto address = local_address(path);
    // Two agents that start together take turns over the directory: without it, one could
    // remove the socket that the other has just made.
    const auto folder = std::filesystem::path{path}.parent_path();
    const UniqueFd turn{
        open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!turn || flock(turn.get(), LOCK_EX | LOCK_NB) != 0)
        throw Error{Errc::internal, "the socket's directory cannot be had", errno};

    remove_stale(path, address);
    fd_ = new_socket(AF_UNIX);
    // Linux gives the file the mode that the socket has when it is bound (unix(7) does not
    // say so, unix_bind() does): no moment with another mode, and no umask of all threads.
    if (fchmod(fd_.get(), mode) != 0)
        throw Error{Errc::internal, "the socket's mode cannot be set", errno};
    start_listening(fd_.get(), address);
    if (lstat(path.c_str(), &made_) != 0 || (made_.st_mode & 07777 & ~mode) != 0)
        throw Error{Errc::internal, "the socket has another mode than asked for", errno};
}

LocalSocket::~LocalSocket()
{
    struct stat found = {};
    if (lstat(path_.c_str(), &found) == 0 && found.st_ino == made_.st_ino &&
        found.st_dev == made_.st_dev)
        unlink(path_.c_str());
}

} // namespace cps::http
