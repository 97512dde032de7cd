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
using Clock = std::chrono::steady_clock;

TEST_SUITE("http")
{
    TEST_CASE("a reply may come from another thread, and only the first counts")
    {
        std::vector<std::thread> threads;
        Served served{[&](http::Request, const http::Reply& reply) {
            threads.emplace_back([reply] {
                reply(text("once"));
                reply(text("twice"));
            });
        }};
        RawClient client{served.port()};

        client.send(get);
        const auto first = client.answer();
        client.send(get);
        const auto second = client.answer();
        served.stop();
        for (auto& thread : threads)
            thread.join();

        CHECK(first->body == "once");
        CHECK(second->body == "once");
    }

    TEST_CASE("a reply after the client has gone, after stop or after the server does nothing")
    {
        Shelf shelf;
        {
            Served served{std::ref(shelf)};
            RawClient gone{served.port()};
            RawClient stays{served.port()};
            gone.send(get);
            REQUIRE(shelf.wait_for(1));
            stays.send(get);
            REQUIRE(shelf.wait_for(2));
            stays.send(get);
            gone.abort();

            shelf.take(0)(text("lost"));
            served.stop();
            shelf.take(1)(text("lost"));
            CHECK(served.open_connections() == 0);

            RawClient refused{served.port()};
            CHECK_FALSE(refused.connected());
        }
        Shelf late;
        {
            Served served{std::ref(late)};
            RawClient client{served.port()};
            client.send(get);
            REQUIRE(late.wait_for(1));
        }
        late.take(0)(text("lost"));
    }

    TEST_CASE("a handler is told when the client leaves before its answer")
    {
        Shelf shelf;
        Served served{std::ref(shelf)};
        RawClient client{served.port()};
        client.send(get);
        REQUIRE(shelf.wait_for(1));
        const auto request = shelf.request(0);
        std::promise<void> told;
        const std::stop_callback on_gone{request.gone, [&] { told.set_value(); }};

        CHECK_FALSE(request.gone.stop_requested());
        client.close();

        CHECK(told.get_future().wait_for(2s) == std::future_status::ready);
    }

    TEST_CASE("a client that shut its own side still gets its answers")
    {
        Served served;
        RawClient client{served.port()};

        client.send(get + get);
        client.shut();

        CHECK(client.answer()->status == 200);
        CHECK(client.answer()->status == 200);
        CHECK(client.ends());
    }

    TEST_CASE("a handler that throws, forgets its reply or answers nonsense makes a 500")
    {
        enum class Fault { none, exception, integer, forgets, splits };
        std::atomic<Fault> fault = Fault::none;
        Served served{[&](http::Request, http::Reply reply) {
            switch (fault) {
            case Fault::none: return reply(text("fine"));
            case Fault::exception: throw std::runtime_error{"a handler's fault"};
            case Fault::integer: throw 1;
            case Fault::forgets: return;
            case Fault::splits:
                return reply({200, "text/plain", {{"X", "a\r\nSet-Cookie: b"}}, ""});
            }
        }};
        RawClient client{served.port()};

        for (const auto each :
             {Fault::exception, Fault::integer, Fault::forgets, Fault::splits}) {
            fault = each;
            client.send(get);
            const auto answer = client.answer();
            REQUIRE(answer);
            CHECK(answer->status == 500);
            CHECK(answer->body.find("\"code\":\"internal\"") != std::string::npos);
            CHECK(answer->head.find("Set-Cookie") == std::string::npos);
        }
        fault = Fault::none;
        client.send(get);

        CHECK(client.answer()->status == 200);
    }

    TEST_CASE("an Error that a handler throws becomes its problem")
    {
        Served served{[](http::Request, const http::Reply&) {
            throw Error{Errc::origin_refused, "not this one"};
        }};
        RawClient client{served.port()};

        client.send(get);
        const auto answer = client.answer();

        CHECK(answer->status == 403);
        CHECK(answer->body.find("\"code\":\"origin_refused\"") != std::string::npos);
    }

    TEST_CASE("a handler that does not answer in time makes a 500, and its late reply is lost")
    {
        Shelf shelf;
        Served served{std::ref(shelf), quick()};
        RawClient client{served.port()};

        client.send(get);
        const auto answer = client.answer();
        shelf.take(0)(text("late"));

        CHECK(answer->status == 500);
        CHECK(client.until_end() == "");
    }

    TEST_CASE("a handler may stop the server that calls it")
    {
        Served* self = nullptr;
        Served served{[&](http::Request, const http::Reply& reply) {
            self->server().stop();
            reply(text("lost"));
        }};
        self = &served;
        RawClient client{served.port()};

        client.send(get);

        CHECK(client.until_end() == "");
        CHECK(served.open_connections() == 0);
    }

    TEST_CASE("a large answer to a slow reader arrives whole")
    {
        Served served{[](http::Request, const http::Reply& reply) {
            reply(text(std::string(4'000'000, 'y')));
        }};
        RawClient client{served.port()};

        client.send(get);
        std::this_thread::sleep_for(200ms);

        CHECK(client.answer()->body.size() == 4'000'000);
    }
}
