#include "client_socket.hpp"

#include "text.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace cps::http {

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

} // namespace cps::http
