#include "inherited.hpp"

#include "cps/base/error.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace cps::broker {
namespace {

constexpr int first_inherited = 3; // SD_LISTEN_FDS_START, sd_listen_fds(3)
constexpr int max_inherited = 3;   // the agents', and one an address family

int number_in(const char* variable)
{
    const char* const value = std::getenv(variable); // NOLINT: before any thread
    const std::string_view text = value != nullptr ? value : "";
    int number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    return ec == std::errc{} && end == text.data() + text.size() ? number : -1;
}

int option_of(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

void must(bool good, Literal otherwise)
{
    if (!good)
        throw Error{Errc::bad_argument, otherwise};
}

/// The port of a socket on the loopback; 0 where it is on another address.
std::uint16_t loopback_port(int fd)
{
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0)
        return 0;
    if (name.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &name, sizeof v4);
        return v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK) ? ntohs(v4.sin_port) : 0;
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, &name, sizeof v6);
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ? ntohs(v6.sin6_port) : 0;
}

} // namespace

Inherited Inherited::take()
{
    must(number_in("LISTEN_PID") == getpid(), "no sockets were handed over: systemd does that");
    const int count = number_in("LISTEN_FDS");
    must(count >= 2 && count <= max_inherited, "two or three sockets are wanted");

    Inherited taken;
    for (int number = first_inherited; number != first_inherited + count; ++number) {
        UniqueFd fd{number};
        must(option_of(number, SO_ACCEPTCONN) == 1 && option_of(number, SO_TYPE) == SOCK_STREAM,
             "a descriptor is no listening stream socket");
        must(fcntl(number, F_SETFD, FD_CLOEXEC) == 0 &&
                 fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) == 0,
             "a socket's flags cannot be set");
        const int family = option_of(number, SO_DOMAIN);
        if (family == AF_UNIX) {
            must(!taken.agents, "two sockets for agents");
            taken.agents = std::move(fd);
            continue;
        }
        must(family == AF_INET || family == AF_INET6, "a socket of an unknown family");
        const auto port = loopback_port(number);
        must(port != 0, "a socket that other machines could reach");
        must(taken.port == 0 || taken.port == port, "two ports");
        taken.port = port;
        taken.browsers.push_back(std::move(fd));
    }
    must(taken.agents && !taken.browsers.empty(), "a socket is missing");
    return taken;
}

} // namespace cps::broker
