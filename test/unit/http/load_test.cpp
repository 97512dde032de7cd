#include "raw_client.hpp"
#include "served.hpp"

#include <doctest/doctest.h>

#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace cps;
using namespace std::chrono_literals;
using test::RawClient;
using test::Served;

namespace {

const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

/// Descriptors that this process may have, while it lives.
class DescriptorLimit {
public:
    explicit DescriptorLimit(rlim_t count)
    {
        getrlimit(RLIMIT_NOFILE, &before_);
        set(count);
    }
    ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;
    void set(rlim_t count) const
    {
        const rlimit wanted{std::min(count, before_.rlim_max), before_.rlim_max};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &wanted) == 0);
    }

private:
    rlimit before_{};
};

rlim_t next_descriptor()
{
    const int fd = dup(0);
    REQUIRE(fd >= 0);
    close(fd);
    return static_cast<rlim_t>(fd);
}

std::size_t threads()
{
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{"/proc/self/task"}, {}));
}

std::size_t resident() // octets
{
    std::size_t total = 0;
    std::size_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> total >> pages;
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::size_t descriptors()
{
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {}));
}

std::chrono::nanoseconds cpu_time(Served& served)
{
    clockid_t clock{};
    timespec time{};
    pthread_getcpuclockid(served.thread(), &clock);
    clock_gettime(clock, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

bool settles(Served& served, std::size_t open)
{
    for (int i = 0; i != 500; ++i) {
        if (served.open_connections() == open)
            return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

/// That many turns, never more at once than the listener's queue holds: beyond, the kernel
/// lets connections appear seconds later.
template <class Turn>
void take_turns(Served& served, int count, Turn turn)
{
    for (int i = 0; i != count; ++i) {
        turn();
        if (i % 50 == 49)
            REQUIRE(settles(served, 0));
    }
    std::this_thread::sleep_for(50ms);
    REQUIRE(settles(served, 0));
}

/// Whether 1,000 turns leave memory, threads, descriptors and connections as they were.
template <class Turn>
void check_leaves_nothing(Served& served, Turn turn)
{
    take_turns(served, 100, turn); // what is allocated once
    const auto heap = mallinfo2().uordblks;
    const auto pages = resident();
    const auto tasks = threads();
    const auto files = descriptors();

    take_turns(served, 1000, turn);

    CHECK(mallinfo2().uordblks < heap + 128 * 1024);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // they hold freed memory
    // A slow machine has all 64 connections' answers of 100 kB in flight at once.
    CHECK(resident() < pages + 8 * 1024 * 1024);
#else
    static_cast<void>(pages);
#endif
    CHECK(threads() == tasks);
    CHECK(descriptors() == files);
}

unsigned long voluntary_switches(pid_t task)
{
    std::ifstream status{"/proc/self/task/" + std::to_string(task) + "/status"};
    for (std::string word; status >> word;)
        if (word == "voluntary_ctxt_switches:") {
            unsigned long count = 0;
            status >> count;
            return count;
        }
    return 0;
}

} // namespace

TEST_SUITE("http")
{
    TEST_CASE("when all connections are taken, the longest silent one makes room")
    {
        http::Limits limits;
        limits.connections = 4;
        Served served{test::echo, limits};
        std::vector<RawClient> clients;
        for (int i = 0; i != 4; ++i) {
            clients.emplace_back(served.port());
            REQUIRE(settles(served, clients.size()));
        }
        clients[0].send(get); // so the second is silent longest
        clients[0].answer();

        RawClient fifth{served.port()};
        fifth.send(get);

        CHECK(fifth.answer()->status == 200);
        CHECK(clients[1].until_end() == "");
        CHECK(clients[0].quiet_for(50ms));
        CHECK(clients[2].quiet_for(50ms));
        CHECK(served.open_connections() == 4);
    }

    TEST_CASE("when all connections are busy, one more gets 503 and the others go on")
    {
        http::Limits limits;
        limits.connections = 4;
        Served served{test::echo, limits};
        std::vector<RawClient> clients;
        for (int i = 0; i != 4; ++i) {
            clients.emplace_back(served.port());
            clients.back().send("GET /");
        }
        std::this_thread::sleep_for(100ms);

        RawClient fifth{served.port()};
        fifth.send(get);
        const auto answer = fifth.answer();

        CHECK(answer->status == 503);
        CHECK(answer->body.find("\"code\":\"overloaded\"") != std::string::npos);
        CHECK(fifth.ends());
        for (auto& each : clients) {
            each.send(" HTTP/1.1\r\n\r\n");
            CHECK(each.answer()->status == 200);
        }
    }

    TEST_CASE("a thousand bare connections leave at most the limit open and the server at work")
    {
        const DescriptorLimit descriptors{4096};
        Served served;
        std::vector<RawClient> clients;
        for (int i = 0; i != 1000; ++i)
            clients.emplace_back(served.port());

        RawClient last{served.port()};
        last.send(get);

        CHECK(last.answer()->status == 200);
        CHECK(served.open_connections() == http::Limits{}.connections);
        CHECK(std::ranges::count_if(clients, [](RawClient& each) {
                  return each.connected() && each.quiet_for(0ms);
              }) == 63);
    }

    TEST_CASE("a thousand slow halves of requests all get 408, and the last closes the book")
    {
        const DescriptorLimit descriptors{4096};
        http::Limits limits;
        limits.connections = 1000;
        limits.header_time = 1s;
        Served served{test::echo, limits};
        std::vector<RawClient> clients;
        for (int i = 0; i != 1000; ++i) {
            clients.emplace_back(served.port());
            clients.back().send("GET / HTT");
        }

        const auto refused = std::ranges::count_if(clients, [](RawClient& each) {
            const auto answer = each.answer();
            return answer && answer->status == 408;
        });
        clients.clear();

        CHECK(refused == 1000);
        CHECK(settles(served, 0));
    }

    TEST_CASE(
        "a thousand of each bad request leave memory, threads and descriptors as they were")
    {
        const std::vector<std::string> bad{
            "nonsense\r\n\r\n",
            "GET /" + std::string(8200, 'a'),
            "POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
            std::string{"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 27},
            "GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
            "GET http://evil.example/ HTTP/1.1\r\n\r\n",
            "\x16\x03\x01",
        };
        Served served;

        for (const auto& octets : bad)
            check_leaves_nothing(served, [&] {
                RawClient client{served.port()};
                client.send(octets);
                client.answer();
                client.abort();
            });
    }

    TEST_CASE("a thousand clients that leave in the middle leave nothing behind")
    {
        Served served{[](http::Request request, const http::Reply& reply) {
            if (request.target != "/never")
                reply({200, "text/plain", {}, std::string(100'000, 'y')});
        }};

        for (const std::string octets :
             {"", "GET / HTT", "POST / HTTP/1.1\r\nContent-Length: 60000\r\n\r\nhalf",
              "GET / HTTP/1.1\r\n\r\n", "GET /never HTTP/1.1\r\n\r\n"}) {
            CAPTURE(octets);
            check_leaves_nothing(served, [&] {
                RawClient client{served.port()};
                client.send(octets);
                client.close();
            });
        }
    }

    TEST_CASE("open but silent connections wake the server never")
    {
        Served served;
        std::vector<RawClient> clients;
        for (int i = 0; i != 10; ++i)
            clients.emplace_back(served.port());
        clients[0].send(get);
        clients[0].answer();
        REQUIRE(settles(served, 10));
        const auto task = served.on_thread([] { return gettid(); });
        std::this_thread::sleep_for(100ms);

        const auto before = voluntary_switches(task);
        std::this_thread::sleep_for(2s);

        CHECK(before > 0);
        CHECK(voluntary_switches(task) == before);
    }

    TEST_CASE("with no descriptor left the server rests, then takes who has waited")
    {
        Served served;
        const DescriptorLimit limit{next_descriptor() + 1};
        RawClient client{served.port()}; // the last descriptor
        client.send(get);
        REQUIRE(client.connected());

        const auto before = cpu_time(served);
        CHECK(client.quiet_for(500ms));
        CHECK(cpu_time(served) - before < 50ms);
        limit.set(1024);

        CHECK(client.answer()->status == 200);
    }

    TEST_CASE("with no descriptor left a silent connection makes room")
    {
        Served served;
        RawClient silent{served.port()};
        REQUIRE(settles(served, 1));
        const DescriptorLimit limit{next_descriptor() + 1};

        RawClient client{served.port()};
        client.send(get);

        CHECK(client.answer()->status == 200);
        CHECK(silent.until_end() == "");
    }
}
