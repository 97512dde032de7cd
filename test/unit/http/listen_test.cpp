#include "raw_client.hpp"
#include "served.hpp"
#include "sockets.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>

using namespace cps;
using test::RawClient;
using test::Served;
namespace fs = std::filesystem;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

bool answers(RawClient client)
{
    client.send(get);
    const auto answer = client.answer();
    return answer && answer->status == 200;
}

struct Folder {
    Folder()
    {
        char name[] = "/tmp/cps-http-XXXXXX";
        path = mkdtemp(name);
    }
    ~Folder() { fs::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    fs::path path;
};

mode_t mode_of(const fs::path& path)
{
    struct stat found = {};
    return lstat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

/// A socket file whose owner has gone.
void leave_stale(const std::string& path)
{
    const UniqueFd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

bool has_ipv6()
{
    try {
        http::listen_on(http::Loopback::v6, 0);
        return true;
    } catch (const Error&) {
        return false;
    }
}

} // namespace

TEST_SUITE("http")
{
    TEST_CASE("the loopback is served on both addresses under one port")
    {
        Served served;

        CHECK(answers(RawClient{served.port()}));
        if (has_ipv6())
            CHECK(answers(RawClient{served.port(), "::1"}));
    }

    TEST_CASE("a port that is taken on one of the addresses is passed over on both")
    {
        Served other;
        const auto taken = other.port();
        const auto either = has_ipv6() ? http::Loopback::v6 : http::Loopback::v4;
        auto squatter = http::listen_on(either, 0);
        boost::asio::io_context io;
        struct Silent : http::Handler {
            void handle(http::Request, http::Reply) override {}
        } handler;
        http::Server server{io, handler};

        CHECK_THROWS_AS(server.listen_loopback(taken, taken), Error);
        CHECK_THROWS_AS(server.listen_loopback(squatter.port, squatter.port), Error);
        // "Neither": the address that was free is free again.
        squatter.fd.reset();
        CHECK(server.listen_loopback(squatter.port, squatter.port) == squatter.port);
    }

    TEST_CASE("a range gives its first free port")
    {
        Served other;
        const auto taken = other.port();
        if (taken > 65'000)
            return;
        boost::asio::io_context io;
        struct Silent : http::Handler {
            void handle(http::Request, http::Reply) override {}
        } handler;
        http::Server server{io, handler};

        const auto port = server.listen_loopback(taken, static_cast<std::uint16_t>(taken + 50));

        CHECK(port > taken);
        CHECK(port <= taken + 50);
    }

    TEST_CASE("a live listener's port is not shared, a dead one's is had at once")
    {
        std::uint16_t port = 0;
        {
            Served served;
            port = served.port();
            CHECK_THROWS_AS(http::listen_on("127.0.0.1", port), Error);
            CHECK_THROWS_AS(http::listen_on("0.0.0.0", port), Error);
            RawClient client{port}; // ends on the server's side: TIME_WAIT holds the port
            client.send("GET / HTTP/1.0\r\n\r\n");
            client.until_end();
        }
        CHECK(http::listen_on("127.0.0.1", port).port == port);
    }

    TEST_CASE("a numeric address is listened on, a name is not looked up")
    {
        Served served;
        const auto port =
            served.on_thread([&] { return served.server().listen_tcp("127.0.0.1", 0); });

        CHECK(answers(RawClient{port}));
        CHECK_THROWS_AS(
            served.on_thread([&] { return served.server().listen_tcp("localhost", 0); }),
            Error);
    }

    TEST_CASE("a Unix socket is the person's own from its first moment and marks its requests")
    {
        const Folder folder;
        const auto path = folder.path / "control.sock";
        std::atomic<bool> local = false;
        std::atomic<bool> own = false;
        const auto umask_before = umask(0);
        Served served{[&](http::Request request, const http::Reply& reply) {
            local = request.local;
            own = request.peer_user == geteuid();
            reply({});
        }};
        served.on_thread([&] { served.server().listen_local(path); });
        umask(umask_before);

        CHECK(mode_of(path) == 0600);
        CHECK(answers(RawClient{path.string()}));
        CHECK(local);
        CHECK(own);
        CHECK(answers(RawClient{served.port()}));
        CHECK_FALSE(local);

        served.stop();
        CHECK_FALSE(fs::exists(path));
    }

    TEST_CASE("a Unix socket for a group has its mode")
    {
        const Folder folder;
        const auto path = folder.path / "gate.sock";
        const auto umask_before = umask(0);
        Served served;
        served.on_thread([&] { served.server().listen_local(path, http::LocalAccess::group); });
        umask(umask_before);

        CHECK(mode_of(path) == 0660);
        CHECK(answers(RawClient{path.string()}));
    }

    TEST_CASE("a dead Unix socket is replaced, a live one and other files are not")
    {
        const Folder folder;
        const auto dead = folder.path / "dead.sock";
        const auto file = folder.path / "file";
        const auto link = folder.path / "link";
        leave_stale(dead);
        std::ofstream{file} << "kept";
        fs::create_symlink(dead, link);
        Served served;
        const auto listen = [&](const fs::path& path) {
            served.on_thread([&] { served.server().listen_local(path); });
        };

        CHECK_THROWS_AS(listen(link), Error);
        listen(dead);
        CHECK(answers(RawClient{dead.string()}));
        CHECK_THROWS_AS(listen(dead), Error);
        CHECK_THROWS_AS(listen(file), Error);
        CHECK(fs::file_size(file) == 4);
        CHECK(answers(RawClient{dead.string()}));
        CHECK_THROWS_AS(listen(folder.path / std::string(200, 'a')), Error);
        CHECK_THROWS_AS(listen(folder.path / "absent" / "cps.sock"), Error);
    }

    TEST_CASE("a server that ends leaves a socket alone that has taken its place")
    {
        const Folder folder;
        const auto path = folder.path / "control.sock";
        {
            Served first;
            first.on_thread([&] { first.server().listen_local(path); });
            fs::remove(path);
            leave_stale(path);
        }
        CHECK(fs::exists(path));
    }

    TEST_CASE("another user is turned away from the Unix socket" *
              doctest::skip(geteuid() != 0))
    {
        const Folder folder;
        const auto path = folder.path / "control.sock";
        Served served;
        served.on_thread([&] { served.server().listen_local(path); });
        // The file's mode is out of the way, so that the check of the peer alone is tried.
        fs::permissions(folder.path, fs::perms::all);
        fs::permissions(path, fs::perms::all);

        const auto child = fork();
        if (child == 0) {
            if (setuid(65534) != 0)
                _exit(2);
            RawClient client{path.string()};
            client.send(get);
            _exit(client.connected() && client.until_end() == "" ? 0 : 1);
        }
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);

        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
        CHECK(answers(RawClient{path.string()}));
    }
}
