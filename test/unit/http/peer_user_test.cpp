#include "raw_client.hpp"
#include "served.hpp"
#include "sockets.hpp"

#include "cps/base/peer_user.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>

using namespace cps;
using test::RawClient;
using test::Served;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

// Not the overflow user, 65534, which is nobody in particular.
constexpr uid_t another_user = 12'345;

/// Answers with the number of the peer's user.
void tell_user(const http::Request& request, const http::Reply& reply)
{
    http::Response response;
    response.content_type = "text/plain";
    response.body = request.peer_user ? std::to_string(*request.peer_user) : "nobody";
    reply(std::move(response));
}

std::string told(RawClient client)
{
    client.send(get);
    const auto answer = client.answer();
    return answer ? answer->body : "no answer";
}

/// What a client that runs as `user` is told: whether it is `expected`.
bool told_as(uid_t user, std::uint16_t port, const char* host, const std::string& expected)
{
    const auto child = fork();
    if (child == 0)
        _exit(setuid(user) == 0 && told(RawClient{port, host}) == expected ? 0 : 1);
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// A listening socket and a client that the test holds, without a server between them.
struct Pair {
    http::Listening listening = http::listen_on(http::Loopback::v4, 0);
    RawClient client{listening.port};
    UniqueFd accepted = accept();

    UniqueFd accept() const
    {
        pollfd one{listening.fd.get(), POLLIN, 0};
        REQUIRE(poll(&one, 1, 5000) == 1);
        return UniqueFd{accept4(listening.fd.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    }
};

bool has_ipv6()
{
    try {
        http::listen_on(http::Loopback::v6, 0);
        return true;
    } catch (const Error&) {
        return false;
    }
}

std::size_t descriptors()
{
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {}));
}

} // namespace

TEST_SUITE("http")
{
    TEST_CASE("a request over the loopback says that its peer is our own user")
    {
        Served served{tell_user};
        const auto own = std::to_string(geteuid());

        CHECK(told(RawClient{served.port()}) == own);
        if (has_ipv6())
            CHECK(told(RawClient{served.port(), "::1"}) == own);
    }

    TEST_CASE("an IPv6 socket that speaks IPv4 is known too" * doctest::skip(!has_ipv6()))
    {
        Served served{tell_user};

        CHECK(told(RawClient{served.port(), "::ffff:127.0.0.1"}) == std::to_string(geteuid()));
    }

    TEST_CASE("every request of a kept connection says the same user")
    {
        Served served{tell_user};
        RawClient client{served.port()};

        for (int i = 0; i != 3; ++i) {
            client.send(get);
            const auto answer = client.answer();
            REQUIRE(answer.has_value());
            CHECK(answer->body == std::to_string(geteuid()));
        }
    }

    TEST_CASE("another user's socket is told as theirs" * doctest::skip(geteuid() != 0))
    {
        Served served{tell_user};
        const auto other = std::to_string(another_user);

        CHECK(told_as(another_user, served.port(), "127.0.0.1", other));
        if (has_ipv6()) {
            CHECK(told_as(another_user, served.port(), "::1", other));
            CHECK(told_as(another_user, served.port(), "::ffff:127.0.0.1", other));
        }
    }

    TEST_CASE("the overflow user may be anybody, so it is nobody" *
              doctest::skip(geteuid() != 0))
    {
        Served served{tell_user};

        CHECK(told_as(65'534, served.port(), "127.0.0.1", "nobody"));
    }

    TEST_CASE("nobody looks at the peers of a server that is not for the loopback")
    {
        Served served{tell_user};
        const auto port =
            served.on_thread([&] { return served.server().listen_tcp("127.0.0.1", 0); });

        CHECK(told(RawClient{port}) == "nobody");
    }

    TEST_CASE("a client that has shut its own side is still known")
    {
        Pair pair;
        pair.client.shut();

        CHECK(tcp_peer_user(pair.accepted.get()) == geteuid());
    }

    TEST_CASE("a client's socket that is closed is nobody's, above all not root's")
    {
        Pair pair;
        REQUIRE(tcp_peer_user(pair.accepted.get()) == geteuid());

        pair.client.close();

        CHECK(tcp_peer_user(pair.accepted.get()) == std::nullopt);
    }

    TEST_CASE("what is not an accepted TCP socket has no user")
    {
        Pair pair;
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        const UniqueFd one{ends[0]};
        const UniqueFd two{ends[1]};

        CHECK(tcp_peer_user(pair.listening.fd.get()) == std::nullopt);
        CHECK(tcp_peer_user(one.get()) == std::nullopt);
        CHECK(tcp_peer_user(-1) == std::nullopt);
        CHECK(local_peer_user(one.get()) == geteuid());
        CHECK(local_peer_user(-1) == std::nullopt);
    }

    TEST_CASE("a thousand look-ups leave no descriptor behind and cost microseconds")
    {
        Pair pair;
        const auto before = descriptors();
        constexpr int count = 1000;

        const auto start = std::chrono::steady_clock::now();
        int known = 0;
        for (int i = 0; i != count; ++i)
            known += tcp_peer_user(pair.accepted.get()) == geteuid() ? 1 : 0;
        const auto each = (std::chrono::steady_clock::now() - start) / count;

        CHECK(known == count);
        CHECK(descriptors() == before);
        MESSAGE("a look-up takes "
                << std::chrono::duration_cast<std::chrono::nanoseconds>(each).count() << " ns");
        CHECK(each < std::chrono::milliseconds{1});
    }
}
