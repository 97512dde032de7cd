#include "cps/http/client.hpp"

#include "client_socket.hpp"
#include "response_reader.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace cps::http {
namespace {

constexpr std::size_t max_response = 1024 * 1024; // octets, head and body

Result<Response> receive(int fd, bool head_only, Time::time_point deadline)
{
    std::string octets;
    std::array<char, 16 * 1024> chunk;
    while (true) {
        if (!wait_for(fd, POLLIN, deadline))
            return too_late();
        const auto size = recv(fd, chunk.data(), chunk.size(), 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (size > 0)
            octets.append(chunk.data(), static_cast<std::size_t>(size));
        else if (octets.empty())
            return Error{Errc::no_service, "the server closed without an answer",
                         size < 0 ? errno : 0};
        if (octets.size() > max_response)
            return Error{Errc::too_large, "the answer is too large"};
        auto response = read_response(octets, size <= 0, head_only);
        if (response.has_error())
            return response.error();
        if (response->has_value())
            return **std::move(response);
    }
}

Result<Response> call(const sockaddr* address, socklen_t size, std::string_view host,
                      const Request& request, std::chrono::seconds patience)
{
    const auto deadline = Time::now() + patience;
    const auto octets = to_octets(request, host);
    if (octets.has_error())
        return octets.error();
    const auto fd = connect_to(address, size, deadline);
    if (fd.has_error())
        return fd.error();
    const auto sent = send_all(fd->get(), *octets, deadline);
    if (sent.has_error())
        return sent.error();
    return receive(fd->get(), request.method == "HEAD", deadline);
}

} // namespace

Result<Response> call_local(const std::string& socket_path, const Request& request,
                            std::chrono::seconds deadline)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.empty() || socket_path.size() >= sizeof address.sun_path)
        return Error{Errc::bad_argument, "the socket's path is too long"};
    std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
    return call(reinterpret_cast<const sockaddr*>(&address), sizeof address, "localhost",
                request, deadline);
}

Result<Response> call_tcp(const std::string& host, std::uint16_t port, const Request& request,
                          std::chrono::seconds deadline)
{
    const auto suffix = ':' + std::to_string(port);
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1)
        return call(reinterpret_cast<const sockaddr*>(&v4), sizeof v4, host + suffix, request,
                    deadline);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1)
        return call(reinterpret_cast<const sockaddr*>(&v6), sizeof v6,
                    '[' + host + ']' + suffix, request, deadline);
    return Error{Errc::bad_argument, "the host is not a numeric address"};
}

} // namespace cps::http
