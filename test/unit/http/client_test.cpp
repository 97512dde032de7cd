#include "cps/http/client.hpp"
#include "response_reader.hpp"
#include "served.hpp"
#include "sockets.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

using namespace cps;
using namespace std::chrono_literals;
using test::Served;

namespace {

http::Request post(std::string body)
{
    http::Request request;
    request.method = "POST";
    request.target = "/v1/x";
    request.body = std::move(body);
    return request;
}

/// Says one thing to one client, whatever it asks, and closes if told so.
class OneAnswer {
public:
    explicit OneAnswer(std::string octets, bool closes = true)
        : listening_{http::listen_on(http::Loopback::v4, 0)},
          thread_{[this, octets = std::move(octets), closes] {
              pollfd one{listening_.fd.get(), POLLIN, 0};
              poll(&one, 1, 5000);
              client_.reset(accept4(listening_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
              char asked[4096];
              static_cast<void>(recv(client_.get(), asked, sizeof asked, 0));
              send(client_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
              if (closes)
                  client_.reset();
          }}
    {
    }
    ~OneAnswer() { thread_.join(); }
    OneAnswer(const OneAnswer&) = delete;
    OneAnswer& operator=(const OneAnswer&) = delete;
    Result<http::Response> ask()
    {
        return http::call_tcp("127.0.0.1", listening_.port, post("a"), 1s);
    }

private:
    http::Listening listening_;
    UniqueFd client_;
    std::thread thread_;
};

} // namespace

TEST_SUITE("http")
{
    TEST_CASE("a call over TCP brings the answer with its fields")
    {
        http::Request seen;
        Served served{[&](http::Request request, const http::Reply& reply) {
            seen = request;
            reply({201, "text/plain", {{"X-Own", "1"}}, "answer"});
        }};
        auto request = post("question");
        request.fields.emplace_back("CPS-Agent", "1");

        const auto response = http::call_tcp("127.0.0.1", served.port(), request, 5s);
        const auto again = http::call_tcp("::1", served.port(), request, 5s);

        REQUIRE(response.has_value());
        CHECK(response->status == 201);
        CHECK(response->content_type == "text/plain");
        CHECK(response->body == "answer");
        CHECK(std::ranges::count(response->fields, http::Field{"X-Own", "1"}) == 1);
        CHECK(seen.body == "question");
        CHECK(seen.field("CPS-Agent") == "1");
        if (again.has_value())
            CHECK(seen.field("Host") == "[::1]:" + std::to_string(served.port()));
        else
            CHECK(seen.field("Host") == "127.0.0.1:" + std::to_string(served.port()));
    }

    TEST_CASE("a call over a Unix socket is marked local")
    {
        const auto path = std::filesystem::temp_directory_path() /
                          ("cps-client-" + std::to_string(getpid()) + ".sock");
        bool local = false;
        Served served{[&](http::Request request, const http::Reply& reply) {
            local = request.local;
            test::echo(std::move(request), reply);
        }};
        served.on_thread([&] { served.server().listen_local(path); });

        const auto response = http::call_local(path, post("b"), 5s);

        REQUIRE(response.has_value());
        CHECK(response->body == "POST /v1/x b");
        CHECK(local);
    }

    TEST_CASE("a Host of the caller's own replaces ours")
    {
        Served served{[&](http::Request request, const http::Reply& reply) {
            reply({200, "text/plain", {}, std::string{request.field("Host").value_or("none")}});
        }};
        auto request = post("");
        request.fields.emplace_back("Host", "rebound.example");

        CHECK(http::call_tcp("127.0.0.1", served.port(), request, 5s)->body ==
              "rebound.example");
    }

    TEST_CASE("HEAD and 204 are whole without a body")
    {
        Served served{[&](http::Request request, const http::Reply& reply) {
            request.method == "HEAD" ? test::echo(std::move(request), reply)
                                     : reply({204, "", {}, ""});
        }};
        auto head = post("");
        head.method = "HEAD";

        CHECK(http::call_tcp("127.0.0.1", served.port(), head, 5s)->body.empty());
        CHECK(http::call_tcp("127.0.0.1", served.port(), post(""), 5s)->status == 204);
    }

    TEST_CASE("a call to nobody says no_service")
    {
        std::uint16_t port = 0;
        {
            port = http::listen_on(http::Loopback::v4, 0).port;
        }
        const auto tcp = http::call_tcp("127.0.0.1", port, post(""), 1s);
        const auto local = http::call_local("/nonexistent/cps.sock", post(""), 1s);

        CHECK(tcp.error().code() == Errc::no_service);
        CHECK(local.error().code() == Errc::no_service);
    }

    TEST_CASE("a call ends at its deadline")
    {
        OneAnswer silent{"", false};
        OneAnswer half{"HTTP/1.1 200 OK\r\nContent-Le", false};
        const auto start = std::chrono::steady_clock::now();

        CHECK(silent.ask().error().code() == Errc::timeout);
        CHECK(half.ask().error().code() == Errc::timeout);
        CHECK(std::chrono::steady_clock::now() - start < 4s);
    }

    TEST_CASE("an answer that is not HTTP, cut short or too large is refused as such")
    {
        OneAnswer nonsense{"SSH-2.0-OpenSSH_9.2\r\n"};
        OneAnswer cut{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"};
        OneAnswer mute{""};
        OneAnswer large{"HTTP/1.1 200 OK\r\n\r\n" + std::string(1024 * 1024, 'y')};
        OneAnswer endless{"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
                          "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"};

        CHECK(nonsense.ask().error().code() == Errc::malformed_input);
        CHECK(cut.ask().error().code() == Errc::malformed_input);
        CHECK(mute.ask().error().code() == Errc::no_service);
        CHECK(large.ask().error().code() == Errc::too_large);
        CHECK(endless.ask().error().code() == Errc::malformed_input);
    }

    TEST_CASE("answers without a length, in chunks and after `100 Continue` are read")
    {
        OneAnswer unframed{"HTTP/1.1 200 OK\r\n\r\nto the end"};
        OneAnswer chunked{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                          false};
        OneAnswer interim{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
                          "Content-Length: 2\r\n\r\nok",
                          false};

        CHECK(unframed.ask()->body == "to the end");
        CHECK(chunked.ask()->body == "abc");
        CHECK(interim.ask()->body == "ok");
    }

    TEST_CASE("a request that would break its lines is never sent")
    {
        auto target = post("");
        target.target = "/a b";
        auto field = post("");
        field.fields.emplace_back("X", "a\r\nY: b");
        auto method = post("");
        method.method = "GET /";

        for (const auto& each : {target, field, method})
            CHECK(http::call_tcp("127.0.0.1", 1, each, 1s).error().code() ==
                  Errc::bad_argument);
        CHECK(http::call_tcp("localhost", 1, post(""), 1s).error().code() ==
              Errc::bad_argument);
    }
}
