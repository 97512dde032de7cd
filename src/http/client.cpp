#include "cps/http/client.hpp"

#include "cps/base/unique_handle.hpp"
#include "response_reader.hpp"
#include "text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace cps::http {
namespace {

constexpr std::size_t max_response = 1024 * 1024; // octets, head and body

using Time = std::chrono::steady_clock;

/// Waits until `fd` is ready for `events`. False once the deadline has passed.
bool wait_for(int fd, short events, Time::time_point deadline)
{
    while (true) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Time::now()).count();
        if (left <= 0)
            return false;
        pollfd one{fd, events, 0};
        const auto patience = static_cast<int>(std::min<long long>(left, 60'000));
        const int ready = poll(&one, 1, patience);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

Error too_late()
{
    return {Errc::timeout, "the server did not answer in time"};
}

Result<UniqueFd> connect_to(const sockaddr* address, socklen_t size, Time::time_point deadline)
{
    UniqueFd fd{socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd)
        return Error{Errc::internal, "no socket to be had", errno};
    int error = connect(fd.get(), address, size) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        if (!wait_for(fd.get(), POLLOUT, deadline))
            return too_late();
        socklen_t length = sizeof error;
        if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0)
            error = errno;
    }
    if (error != 0)
        return Error{Errc::no_service, "nobody listens", error};
    return fd;
}

Result<std::string> to_octets(const Request& request, std::string_view host)
{
    const bool sound =
        is_token(request.method) && request.target.starts_with('/') &&
        std::ranges::all_of(request.target, [](char c) { return c > 0x20 && c < 0x7F; }) &&
        std::ranges::all_of(request.fields, [](const Field& each) {
            return is_token(each.first) && is_field_value(each.second);
        });
    if (!sound)
        return Error{Errc::bad_argument, "the request is not HTTP"};

    std::string out = request.method + ' ' + request.target + " HTTP/1.1\r\n";
    if (request.count("Host") == 0)
        out.append("Host: ").append(host).append("\r\n");
    for (const auto& [name, value] : request.fields)
        out.append(name).append(": ").append(value).append("\r\n");
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT")
        out.append("Content-Length: ")
            .append(std::to_string(request.body.size()))
            .append("\r\n");
    out.append("Connection: close\r\n\r\n").append(request.body);
    return out;
}

/// A server may answer and close before it has read everything: then its answer counts.
Result<bool> send_all(int fd, std::string_view octets, Time::time_point deadline)
{
    while (!octets.empty()) {
        if (!wait_for(fd, POLLOUT, deadline))
            return too_late();
        const auto sent = send(fd, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (sent >= 0)
            octets.remove_prefix(static_cast<std::size_t>(sent));
        else if (errno == EPIPE || errno == ECONNRESET)
            return false;
        else if (errno != EAGAIN && errno != EINTR)
            return Error{Errc::no_service, "the request cannot be sent", errno};
    }
    return true;
}

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
