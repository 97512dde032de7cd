#include "cps/http/fetcher.hpp"

#include "client_socket.hpp"
#include "name_lookup.hpp"
#include "response_reader.hpp"
#include "text.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace cps::http {
namespace {

constexpr std::size_t max_head = 16 * 1024; // octets of the answer's head
constexpr std::string_view head_end = "\r\n\r\n";
constexpr std::string_view scheme = "http://";
constexpr unsigned ok = 200;

struct Url {
    std::string host, port; ///< as for getaddrinfo
    std::string authority;  ///< for Host
    std::string target;
};

bool is_port(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= 5 &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// `http://host[:port][/path]`; no user, no fragment (RFC 9110, 4.2.1).
Result<Url> parse(std::string_view text)
{
    const Error refused{Errc::bad_argument, "the address is not http://host[:port]/path"};
    if (!text.starts_with(scheme) || text.find_first_of("@#\\") != std::string_view::npos)
        return refused;
    text.remove_prefix(scheme.size());
    const auto slash = std::min(text.find_first_of("/?"), text.size());
    if (slash != text.size() && text[slash] == '?')
        return refused;
    Url url;
    url.authority = text.substr(0, slash);
    url.target = slash == text.size() ? "/" : text.substr(slash);
    url.port = "80";
    std::string_view host = url.authority;
    const auto colon = host.rfind(':');
    if (colon != std::string_view::npos && (host.front() != '[' || host[colon - 1] == ']')) {
        url.port = host.substr(colon + 1);
        host = host.substr(0, colon);
    }
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    url.host = host;
    if (host.empty() || !is_port(url.port) || !is_field_value(url.authority) ||
        url.authority.find(' ') != std::string::npos)
        return refused;
    return url;
}

/// Octets that the body will have, where the head says.
Result<std::optional<std::size_t>> announced(const Response& head)
{
    for (const auto& [name, value] : head.fields) {
        if (!same_word(name, "Content-Length"))
            continue;
        std::size_t size = 0;
        const auto [end, fault] =
            std::from_chars(value.data(), value.data() + value.size(), size);
        if (fault != std::errc{} || end != value.data() + value.size())
            return Error{Errc::malformed_input, "the answer's length is no number"};
        return std::optional{size};
    }
    return std::optional<std::size_t>{};
}

/// What has come so far.
class Incoming {
public:
    explicit Incoming(std::size_t max_body) noexcept : max_body_{max_body} {}

    /// True once it is whole. Errors: too_large, malformed_input, no_service.
    Result<bool> add(std::string_view piece)
    {
        const auto looked_at = octets_.size() < head_end.size() ? 0 : octets_.size() - 3;
        octets_.append(piece);
        if (body_at_ == 0) {
            const auto end = octets_.find(head_end, looked_at);
            if (end == std::string::npos ? octets_.size() > max_head : end > max_head)
                return Error{Errc::too_large, "the answer's head is too large"};
            if (end == std::string::npos)
                return false;
            body_at_ = end + head_end.size();
            if (const auto fault = read_head())
                return *fault;
        }
        // Chunks have some octets of their own.
        const auto most = body_at_ + (size_ ? *size_ : max_body_ + max_body_ / 8 + max_head);
        if (octets_.size() > most && !size_)
            return Error{Errc::too_large, "the answer is too large"};
        return size_ && octets_.size() >= most;
    }

    Result<Bytes> body() const
    {
        if (size_ && octets_.size() < body_at_ + *size_)
            return Error{Errc::malformed_input, "the answer is cut short"};
        auto response = read_response(octets_, true, false);
        if (!response)
            return response.error();
        if (!*response || (*response)->status != ok)
            return Error{Errc::malformed_input, "the answer is not HTTP"};
        const auto& body = (*response)->body;
        if (body.size() > max_body_)
            return Error{Errc::too_large, "the answer is too large"};
        return copy_of(octets(body));
    }

    bool empty() const noexcept { return octets_.empty(); }

private:
    std::optional<Error> read_head()
    {
        const auto head =
            read_response(std::string_view{octets_}.substr(0, body_at_), true, true);
        if (!head)
            return head.error();
        if (!*head)
            return Error{Errc::malformed_input, "the answer is not HTTP"};
        if ((*head)->status != ok)
            return Error{Errc::no_service, "the server answers, but not with it",
                         static_cast<long>((*head)->status)};
        const auto size = announced(**head);
        if (!size)
            return size.error();
        size_ = *size;
        if (size_ && *size_ > max_body_)
            return Error{Errc::too_large, "the answer is too large"};
        return std::nullopt;
    }

    std::size_t max_body_;
    std::string octets_;
    std::size_t body_at_ = 0; ///< 0: the head is not whole yet
    std::optional<std::size_t> size_;
};

Result<Bytes> receive(int fd, std::size_t max_body, Time::time_point deadline)
{
    Incoming incoming{max_body};
    std::array<char, 16 * 1024> chunk;
    while (true) { // bounded by the deadline and by what Incoming takes
        if (!wait_for(fd, POLLIN, deadline))
            return too_late();
        const auto size = recv(fd, chunk.data(), chunk.size(), 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (size <= 0) {
            if (incoming.empty())
                return Error{Errc::no_service, "the server closed without an answer",
                             size < 0 ? errno : 0};
            return incoming.body();
        }
        const auto whole = incoming.add({chunk.data(), static_cast<std::size_t>(size)});
        if (!whole)
            return whole.error();
        if (*whole)
            return incoming.body();
    }
}

Result<UniqueFd> connect_to_any(const std::vector<SocketAddress>& addresses,
                                Time::time_point deadline)
{
    Result<UniqueFd> connection = Error{Errc::no_service, "the host has no address"};
    for (const auto& address : addresses) {
        connection = connect_to(address.get(), address.size, deadline);
        if (connection)
            break;
    }
    return connection;
}

} // namespace

Result<Bytes> HttpFetcher::fetch(const FetchRequest& wanted)
{
    const auto deadline = Time::now() + wanted.deadline;
    const auto url = parse(wanted.url);
    if (!url)
        return url.error();
    Request request;
    request.method = wanted.body.empty() ? "GET" : "POST";
    request.target = url->target;
    if (!wanted.content_type.empty())
        request.fields.emplace_back("Content-Type", wanted.content_type);
    request.body = text_of(wanted.body);
    const auto octets = to_octets(request, url->authority);
    if (!octets)
        return octets.error();

    const auto addresses = look_up(url->host, url->port, deadline);
    if (!addresses)
        return addresses.error();
    const auto connection = connect_to_any(*addresses, deadline);
    if (!connection)
        return connection.error();
    if (const auto sent = send_all(connection->get(), *octets, deadline); !sent)
        return sent.error();
    return receive(connection->get(), wanted.max_size, deadline);
}

} // namespace cps::http
