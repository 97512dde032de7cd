#include "pki/ocsp_server.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"
#include "cps/base/unique_handle.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cps::pki {
namespace {

constexpr std::size_t max_request = 16 * 1024; // octets, head and body: a request has some 200
constexpr ::timeval patience{5, 0};            // for each read and write
constexpr int backlog = 16;
constexpr std::string_view head_end = "\r\n\r\n";

bool starts_with_any_case(std::string_view text, std::string_view lower)
{
    if (text.size() < lower.size())
        return false;
    for (std::size_t i = 0; i != lower.size(); ++i)
        if ((text[i] | 0x20) != (lower[i] | 0x20))
            return false;
    return true;
}

/// The number in Content-Length; 0 without one.
std::size_t body_size(std::string_view head)
{
    constexpr std::string_view name = "\r\ncontent-length:";
    for (auto at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
        auto line = head.substr(at);
        if (!starts_with_any_case(line, name))
            continue;
        line.remove_prefix(name.size());
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        std::size_t size = 0;
        std::from_chars(line.data(), line.data() + line.size(), size);
        return size;
    }
    return 0;
}

/// Reads until head and body are there. Empty when the client is slow, gone or too long.
std::optional<std::string> read_request(int client)
{
    std::string text;
    std::array<char, 4096> chunk{};
    while (text.size() <= max_request) {
        const auto end = text.find(head_end);
        if (end != std::string::npos &&
            text.size() >= end + head_end.size() + body_size(text.substr(0, end)))
            return text;
        const auto got = ::recv(client, chunk.data(), chunk.size(), 0);
        if (got <= 0)
            return std::nullopt;
        text.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return std::nullopt;
}

std::string percent_decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto octet =
            text[i] == '%' ? from_hex(text.substr(i + 1, 2)) : std::optional<Bytes>{};
        if (octet && octet->size() == 1) {
            out += static_cast<char>(octet->front());
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

/// The DER request that an HTTP request carries; empty octets when there is none.
Bytes ocsp_request_of(std::string_view http)
{
    if (http.starts_with("POST "))
        return copy_of(octets(http.substr(http.find(head_end) + head_end.size())));
    if (!http.starts_with("GET /"))
        return {};
    auto path = http.substr(5);
    path = path.substr(0, path.find(' '));
    return from_base64(percent_decoded(path)).value_or(Bytes{});
}

void send_answer(int client, ByteView body)
{
    auto text = std::string{"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"
                            "Connection: close\r\nContent-Length: "} +
                std::to_string(body.size()) + std::string{head_end};
    text += text_of(body);
    for (std::string_view rest = text; !rest.empty();) {
        const auto sent = ::send(client, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
}

} // namespace

OcspServer::OcspServer(const std::string& host, std::uint16_t port)
    : listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
{
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
        throw Error{Errc::bad_argument, "the address to listen on is not a numeric IPv4 one"};
    const int yes = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    ::socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<::sockaddr*>(&address);
    if (::bind(listener_.get(), generic, size) != 0 ||
        ::listen(listener_.get(), backlog) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0)
        throw Error{Errc::internal, "the address cannot be listened on", errno};
    port_ = ntohs(address.sin_port);
}

void OcspServer::serve_one(const std::function<Bytes(ByteView)>& answer)
{
    const UniqueFd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!client)
        return;
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (const auto request = read_request(client.get()))
        send_answer(client.get(), answer(ocsp_request_of(*request)));
}

} // namespace cps::pki
