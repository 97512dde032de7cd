#include "exchanges.hpp"
#include "raw_client.hpp"
#include "served.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace cps;
using namespace std::chrono_literals;
using test::get;
using test::quick;
using test::RawClient;
using test::Served;
using test::Shelf;
using test::text;

namespace {

/// What the server says to `octets`, which must be its last word; 0 if it does not close.
unsigned last_status(const Served& served, const std::string& octets)
{
    RawClient client{served.port()};
    client.send(octets);
    const auto answer = client.answer();
    if (!answer || answer->field("Connection") != "close" || !client.ends())
        return 0;
    return answer->status;
}

} // namespace

TEST_SUITE("http")
{
    TEST_CASE("an answer has its length, is never stored nor sniffed, and names no server")
    {
        Served served;
        RawClient client{served.port()};

        client.send(get);
        const auto answer = client.answer();

        REQUIRE(answer);
        CHECK(answer->status == 200);
        CHECK(answer->body == "GET /a ");
        CHECK(answer->field("Content-Length") == "7");
        CHECK(answer->field("Cache-Control") == "no-store");
        CHECK(answer->field("X-Content-Type-Options") == "nosniff");
        CHECK(answer->field("Date"));
        CHECK_FALSE(answer->field("Server"));
        CHECK_FALSE(answer->field("Connection"));
    }

    TEST_CASE("a connection serves one request after another")
    {
        Served served;
        RawClient client{served.port()};

        for (int i = 0; i != 100; ++i) {
            client.send("POST /" + std::to_string(i) +
                        " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
            const auto answer = client.answer();
            REQUIRE(answer);
            REQUIRE(answer->body == "POST /" + std::to_string(i) + " hi");
        }

        CHECK(served.open_connections() == 1);
    }

    TEST_CASE("pipelined requests are answered in their order, however late each answer comes")
    {
        Shelf shelf;
        Served served{std::ref(shelf)};
        RawClient client{served.port()};

        client.send(get + "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nB" + get);
        REQUIRE(shelf.wait_for(1));
        CHECK(client.quiet_for(100ms));
        shelf.take(0)(text("first"));
        REQUIRE(shelf.wait_for(2));
        CHECK(shelf.request(1).body == "B");
        shelf.take(1)(text("second"));
        REQUIRE(shelf.wait_for(3));
        shelf.take(2)(text("third"));

        CHECK(client.answer()->body == "first");
        CHECK(client.answer()->body == "second");
        CHECK(client.answer()->body == "third");
    }

    TEST_CASE("a thousand pipelined requests all get their answer")
    {
        Served served;
        RawClient client{served.port()};
        std::string many;
        for (int i = 0; i != 1000; ++i)
            many += get;
        std::thread sender{[&] { client.send(many); }};

        int answered = 0;
        RawClient& receiver = client;
        while (answered != 1000 && receiver.answer())
            ++answered;
        sender.join();

        CHECK(answered == 1000);
    }

    TEST_CASE("HEAD is answered with the length and without the body")
    {
        Served served;
        RawClient client{served.port()};

        client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + get);
        const auto head = client.answer(true);
        const auto next = client.answer();

        CHECK(head->field("Content-Length") == "8");
        CHECK(next->body == "GET /a ");
    }

    TEST_CASE("HTTP/1.0 and `Connection: close` get their answer and the end")
    {
        Served served;

        CHECK(last_status(served, "GET / HTTP/1.0\r\n\r\n") == 200);
        CHECK(last_status(served, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n") == 200);
    }

    TEST_CASE("what is not a request gets its status as problem+json and the end")
    {
        Served served;
        RawClient client{served.port()};

        client.send("nonsense\r\n\r\n");
        const auto answer = client.answer();

        CHECK(answer->status == 400);
        CHECK(answer->field("Content-Type") == "application/problem+json");
        CHECK(answer->body.find("\"code\":\"bad_request\"") != std::string::npos);
        CHECK(answer->body.find(explain(Errc::bad_request, "fr")) != std::string::npos);
        CHECK(client.ends());
        CHECK(last_status(served, "GET /" + std::string(9000, 'a')) == 431);
        CHECK(last_status(served, get.substr(0, get.size() - 2) +
                                      "X: " + std::string(9000, 'a')) == 431);
        CHECK(last_status(served, "GET http://evil.example/ HTTP/1.1\r\n\r\n") == 400);
    }

    TEST_CASE("what is wrong with a readable request is said in the page's language")
    {
        Served served;
        RawClient client{served.port()};

        client.send("GET * HTTP/1.1\r\nAccept-Language: en\r\n\r\n");

        CHECK(client.answer()->body.find(explain(Errc::bad_request, "en")) !=
              std::string::npos);
    }

    TEST_CASE("a body above the limit is refused without being read")
    {
        std::atomic<int> handled = 0;
        Served served{[&](http::Request, const http::Reply& reply) {
            ++handled;
            reply({});
        }};

        CHECK(last_status(served, "POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n") == 413);
        CHECK(handled == 0);
    }

    TEST_CASE("a refusal reaches a client that keeps sending")
    {
        Served served;
        RawClient client{served.port()};

        client.send("POST / HTTP/1.1\r\nContent-Length: 700000\r\n\r\n");
        std::this_thread::sleep_for(50ms);
        CHECK(client.send(std::string(700'000, 'x')));

        CHECK(client.answer()->status == 413);
    }

    TEST_CASE("a client that never stops sending after its refusal is cut off")
    {
        Served served;
        RawClient client{served.port()};
        const std::string piece(64 * 1024, 'x');
        client.send("nonsense\r\n\r\n");

        int pieces = 0;
        while (pieces != 1000 && client.send(piece))
            ++pieces;

        CHECK(pieces < 1000);
    }

    TEST_CASE("half a request gets 408 once its time is over, even if it drips on")
    {
        Served served{test::echo, quick()};
        RawClient client{served.port()};
        RawClient dripping{served.port()};

        client.send("GET / HTTP/1.1\r\nHos");
        for (int i = 0; i != 16; ++i) {
            dripping.send("G");
            std::this_thread::sleep_for(100ms);
        }
        CHECK_FALSE(dripping.quiet_for(0ms));
        const auto answer = client.answer();

        CHECK(answer->status == 408);
        CHECK(answer->body.find("\"code\":\"timeout\"") != std::string::npos);
        CHECK(client.ends());
        CHECK(dripping.answer()->status == 408);
    }

    TEST_CASE("half a body gets 408 too")
    {
        Served served{test::echo, quick()};

        CHECK(last_status(served, "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf") == 408);
    }

    TEST_CASE(
        "a connection that says nothing outlives the header's time and ends without a word")
    {
        auto limits = quick();
        limits.silent_time = 2s;
        Served served{test::echo, limits};
        RawClient bare{served.port()};
        RawClient used{served.port()};
        RawClient late{served.port()};
        used.send(get);
        used.answer();

        std::this_thread::sleep_for(1500ms);
        late.send(get);

        CHECK(late.answer()->status == 200);
        CHECK(bare.until_end() == "");
        CHECK(used.until_end() == "");
    }

    TEST_CASE("`Expect: 100-continue` is told to go on, then answered")
    {
        Served served;
        RawClient client{served.port()};

        client.send("POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        CHECK(client.answer()->status == 100);
        client.send("ok");

        CHECK(client.answer()->body == "POST / ok");
        CHECK(last_status(served, "POST / HTTP/1.1\r\nContent-Length: 70000\r\n"
                                  "Expect: 100-continue\r\n\r\n") == 413);
    }
}
