#include "raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>

namespace cps::test {

std::optional<std::string> RawAnswer::field(std::string_view name) const
{
    const auto key = "\r\n" + std::string{name} + ": ";
    const auto at = head.find(key);
    if (at == std::string::npos)
        return std::nullopt;
    const auto from = at + key.size();
    return head.substr(from, head.find("\r\n", from) - from);
}

RawClient::RawClient(std::uint16_t port, const char* host)
{
    sockaddr_storage address{};
    socklen_t size = sizeof(sockaddr_in);
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
    } else {
        inet_pton(AF_INET6, host, &v6->sin6_addr);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        size = sizeof(sockaddr_in6);
    }
    fd_.reset(socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    connected_ = connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0;
}

RawClient::RawClient(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    fd_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    connected_ = connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

bool RawClient::send(std::string_view octets)
{
    while (!octets.empty()) {
        const auto sent = ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
        if (sent < 0)
            return false;
        octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool RawClient::more()
{
    pollfd one{fd_.get(), POLLIN, 0};
    if (ended_ || poll(&one, 1, static_cast<int>(patience.count())) <= 0)
        return false;
    std::array<char, 16384> chunk;
    const auto size = recv(fd_.get(), chunk.data(), chunk.size(), 0);
    if (size <= 0) {
        ended_ = true;
        return false;
    }
    buffer_.append(chunk.data(), static_cast<std::size_t>(size));
    return true;
}

std::optional<RawAnswer> RawClient::answer(bool head_only)
{
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
        if (!more())
            return std::nullopt;
    RawAnswer answer;
    answer.head = buffer_.substr(0, end);
    answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
    buffer_.erase(0, end + 4);
    const auto length = std::stoul(answer.field("Content-Length").value_or("0"));
    if (head_only)
        return answer;
    while (buffer_.size() < length)
        if (!more())
            return std::nullopt;
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
}

bool RawClient::hears(std::string_view text)
{
    std::size_t at = 0;
    while ((at = buffer_.find(text)) == std::string::npos)
        if (!more())
            return false;
    buffer_.erase(0, at + text.size());
    return true;
}

std::optional<std::string> RawClient::until_end()
{
    while (more()) {
    }
    if (!ended_)
        return std::nullopt;
    return std::move(buffer_);
}

bool RawClient::quiet_for(std::chrono::milliseconds time)
{
    pollfd one{fd_.get(), POLLIN, 0};
    return buffer_.empty() && poll(&one, 1, static_cast<int>(time.count())) == 0;
}

void RawClient::shut() const
{
    ::shutdown(fd_.get(), SHUT_WR);
}

void RawClient::abort()
{
    const linger now{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset();
}

void RawClient::limit_receive_buffer(int octets) const
{
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
}

} // namespace cps::test
