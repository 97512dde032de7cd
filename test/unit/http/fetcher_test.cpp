#include "cps/http/fetcher.hpp"

#include "cps/base/unique_handle.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <string>
#include <thread>

using namespace cps;
using namespace std::chrono_literals;

namespace {

/// Serves one client on loopback with whatever the test does.
class OneClient {
public:
    explicit OneClient(std::function<void(int)> serve)
        : listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
    {
        ::sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<::sockaddr*>(&address);
        REQUIRE(::bind(listener_.get(), generic, size) == 0);
        REQUIRE(::listen(listener_.get(), 4) == 0);
        REQUIRE(::getsockname(listener_.get(), generic, &size) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread{[this, serve = std::move(serve)] {
            const UniqueFd client{::accept(listener_.get(), nullptr, nullptr)};
            std::array<char, 4096> chunk{};
            const auto got = ::recv(client.get(), chunk.data(), chunk.size(), 0);
            request_.assign(chunk.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
            serve(client.get());
        }};
    }
    std::string url(const std::string& path = "/a.crl") const
    {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    /// What the client sent first; once it has been served.
    const std::string& request()
    {
        thread_.join();
        return request_;
    }

private:
    UniqueFd listener_;
    std::uint16_t port_ = 0;
    std::string request_;
    std::jthread thread_;
};

/// Whether the client still listens.
bool say(int client, std::string_view text)
{
    while (!text.empty()) {
        const auto sent = ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::function<void(int)> answering(std::string text)
{
    return [text = std::move(text)](int client) { say(client, text); };
}

Result<Bytes> fetch(const std::string& url, std::size_t max_size = 100,
                    std::chrono::milliseconds deadline = 5s, Bytes body = {})
{
    http::HttpFetcher fetcher;
    return fetcher.fetch({.url = url,
                          .content_type = body.empty() ? "" : "application/ocsp-request",
                          .body = std::move(body),
                          .max_size = max_size,
                          .deadline = deadline});
}

Errc fault_of(const std::string& answer, std::size_t max_size = 100)
{
    OneClient server{answering(answer)};
    const auto got = fetch(server.url(), max_size);
    REQUIRE(got.has_error());
    return got.error().code();
}

} // namespace

TEST_SUITE("http")
{
    TEST_CASE("a document is fetched by GET, and by POST with a body")
    {
        OneClient server{answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")};
        CHECK(fetch(server.url("/crl?x=1")).value() == Bytes{'a', 'b', 'c'});
        CHECK(server.request().starts_with("GET /crl?x=1 HTTP/1.1\r\nHost: 127.0.0.1:"));

        OneClient posted{answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")};
        CHECK(fetch(posted.url(""), 100, 5s, {'?', '!'}).value() == Bytes{'x'});
        const auto& request = posted.request();
        CHECK(request.starts_with("POST / HTTP/1.1\r\n"));
        CHECK(request.find("\r\nContent-Type: application/ocsp-request\r\n") !=
              std::string::npos);
        CHECK(request.ends_with("\r\n\r\n?!"));
    }

    TEST_CASE("a document ends with its length, its last chunk, or the connection")
    {
        OneClient closing{answering("HTTP/1.0 200 OK\r\n\r\nabc")};
        CHECK(fetch(closing.url()).value().size() == 3);

        OneClient chunked{answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")};
        CHECK(fetch(chunked.url()).value().size() == 3);

        OneClient open{[](int client) { // keeps the connection open
            say(client, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
            std::array<char, 1> none{};
            (void)::recv(client, none.data(), none.size(), 0);
        }};
        CHECK(fetch(open.url()).value().size() == 3);
    }

    TEST_CASE("a document of some megabytes comes whole")
    {
        const std::string body(5 * 1024 * 1024, 'x');
        OneClient server{answering("HTTP/1.1 200 OK\r\nContent-Length: " +
                                   std::to_string(body.size()) + "\r\n\r\n" + body)};

        CHECK(fetch(server.url(), 8 * 1024 * 1024).value().size() == body.size());
    }

    TEST_CASE("any answer but 200 is none, and no redirect is followed")
    {
        CHECK(fault_of("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") ==
              Errc::no_service);
        CHECK(fault_of("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                       "Content-Length: 0\r\n\r\n") == Errc::no_service);
        CHECK(fault_of("HTTP/1.1 204 No Content\r\n\r\n") == Errc::no_service);
    }

    TEST_CASE("too much is refused, said beforehand or not")
    {
        CHECK(fault_of("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n") == Errc::too_large);
        CHECK(fault_of("HTTP/1.0 200 OK\r\n\r\n" + std::string(101, 'x')) == Errc::too_large);
        CHECK(fault_of("HTTP/1.0 200 OK\r\nX: " + std::string(20'000, 'x')) == Errc::too_large);

        bool stopped = false;
        OneClient endless{[&](int client) {
            say(client, "HTTP/1.0 200 OK\r\n\r\n");
            const std::string more(64 * 1024, 'x');
            for (int i = 0; i != 10'000 && !stopped; ++i)
                stopped = !say(client, more);
        }};
        CHECK(fetch(endless.url()).error().code() == Errc::too_large);
        endless.request();
        CHECK(stopped);
    }

    TEST_CASE("what is not HTTP, or cut short, is malformed")
    {
        CHECK(fault_of("garbage\r\n\r\n") == Errc::malformed_input);
        CHECK(fault_of("garbage") == Errc::malformed_input);
        CHECK(fault_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab") ==
              Errc::malformed_input);
        CHECK(fault_of("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nab") ==
              Errc::malformed_input);
        CHECK(fault_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n") ==
              Errc::malformed_input);
    }

    TEST_CASE("a server that is slow, silent or gone is given up in time")
    {
        const auto started = std::chrono::steady_clock::now();
        OneClient slow{[](int client) { // one octet now and then would go on for ever
            for (const char c : std::string_view{"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n"}) {
                if (!say(client, {&c, 1}))
                    break;
                std::this_thread::sleep_for(20ms);
            }
        }};
        CHECK(fetch(slow.url(), 100, 150ms).error().code() == Errc::timeout);
        CHECK(std::chrono::steady_clock::now() - started < 1s);

        OneClient closing{[](int) {}};
        CHECK(fetch(closing.url()).error().code() == Errc::no_service);
        CHECK(fetch("http://127.0.0.1:1/").error().code() == Errc::no_service);
    }

    TEST_CASE("an address is http, a host and a path, and nothing else")
    {
        for (const auto* bad :
             {"", "https://127.0.0.1/", "ldap://127.0.0.1/", "file:///etc/passwd", "http://",
              "http:///x", "http://127.0.0.1:/", "http://127.0.0.1:99999999/",
              "http://user@127.0.0.1/", "http://127.0.0.1/a b", "http://127.0.0.1/#x",
              "http://127.0.0.1?x", "http://127.0.0.1/\r\nX: y", "http://127.0.0.1\\x",
              "http://127.0.0.1 x/"}) {
            CAPTURE(bad);
            CHECK(fetch(bad).error().code() == Errc::bad_argument);
        }
        CHECK(fetch("http://no-such-host.invalid/", 100, 3s).error().code() !=
              Errc::bad_argument);
    }
}
