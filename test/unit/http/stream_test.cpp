#include "cps/http/stream.hpp"

#include "exchanges.hpp"
#include "raw_client.hpp"
#include "served.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace cps;
using namespace std::chrono_literals;
using http::Stream;
using test::get;
using test::RawClient;
using test::Served;
using test::text;

namespace {

const std::string head = "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n";

/// Answers each request with a stream of its own that begins with "first|".
class Streams {
public:
    explicit Streams(Stream::Beat beat = {"beat|", 3600s}) : beat_{std::move(beat)} {}

    void operator()(http::Request, const http::Reply& reply)
    {
        auto stream = std::make_shared<Stream>(beat_);
        stream->write("first|");
        {
            const std::scoped_lock lock{mutex_};
            made_.push_back(stream);
        }
        auto response = text({});
        response.stream = std::move(stream);
        reply(std::move(response));
    }
    std::weak_ptr<Stream> at(std::size_t i)
    {
        const std::scoped_lock lock{mutex_};
        return made_.at(i);
    }
    /// Whether that stream's client is given up.
    bool ends(std::size_t i)
    {
        for (int tries = 0; tries != 500; ++tries) {
            if (at(i).expired())
                return true;
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }

private:
    const Stream::Beat beat_;
    std::mutex mutex_;
    std::vector<std::weak_ptr<Stream>> made_;
};

} // namespace

TEST_SUITE("http")
{
    TEST_CASE("an answer with a stream goes on with what any thread writes, in order")
    {
        Streams streams;
        Served served{std::ref(streams)};
        RawClient client{served.port()};

        client.send(get);
        const auto answer = client.answer();
        REQUIRE(answer);
        CHECK(answer->status == 200);
        CHECK_FALSE(answer->field("Content-Length"));
        CHECK(answer->field("Connection") == "close");
        CHECK(answer->field("Cache-Control") == "no-store");
        CHECK(client.hears("first|"));
        for (int i = 0; i != 1000; ++i)
            streams.at(0).lock()->write(std::to_string(i) + '|');
        for (int i = 0; i != 1000; ++i)
            REQUIRE(client.hears(std::to_string(i) + '|'));
        CHECK(client.quiet_for(50ms));
    }

    TEST_CASE("a stream that is ended says all that was written, and closes")
    {
        Streams streams;
        Served served{std::ref(streams)};
        RawClient client{served.port()};

        client.send(get);
        REQUIRE(client.hears("first|"));
        const auto stream = streams.at(0).lock();
        stream->write("last");
        stream->end();
        stream->write("too late");

        CHECK(client.until_end() == "last");
    }

    TEST_CASE("a stream beats while nothing else is said")
    {
        Streams streams{{"beat|", 1s}};
        Served served{std::ref(streams)};
        RawClient client{served.port()};

        client.send(get);
        REQUIRE(client.hears("first|"));

        CHECK(client.quiet_for(500ms));
        CHECK(client.hears("beat|"));
        CHECK(client.hears("beat|"));
    }

    TEST_CASE("a stream's writer sees its client go")
    {
        Streams streams;
        Served served{std::ref(streams)};
        RawClient closes{served.port()};
        RawClient resets{served.port()};
        RawClient shuts{served.port()};
        RawClient talks{served.port()};
        std::size_t made = 0;
        for (auto* const client : {&closes, &resets, &shuts, &talks}) {
            client->send(get);
            REQUIRE(client->hears("first|"));
            CHECK_FALSE(streams.at(made++).expired());
        }

        closes.close();
        resets.abort();
        shuts.shut();
        talks.send(get); // nothing can be asked behind a stream

        for (std::size_t i = 0; i != made; ++i)
            CHECK(streams.ends(i));
        CHECK(served.open_connections() == 0);
    }

    TEST_CASE("a client that takes nothing is let go, and nobody waits for it")
    {
        Streams streams;
        Served served{std::ref(streams)};
        RawClient stuck{served.port()};
        stuck.limit_receive_buffer(4096);
        RawClient other{served.port()};
        stuck.send(get);
        REQUIRE(stuck.hears("first|"));
        other.send(get);
        REQUIRE(other.hears("first|"));

        const std::string piece(Stream::max_waiting / 2, 'x');
        constexpr std::size_t most = 32U * 1024U * 1024U; // more than any kernel keeps for it
        for (std::size_t written = 0; written < most; written += piece.size()) {
            const auto stream = streams.at(0).lock();
            if (!stream)
                break;
            stream->write(piece);
            std::this_thread::yield();
        }

        CHECK(streams.ends(0));
        streams.at(1).lock()->write("still here");
        CHECK(other.hears("still here"));
    }

    TEST_CASE("a server that stops lets its streams say their last words")
    {
        Streams streams;
        Served served{std::ref(streams)};
        RawClient client{served.port()};
        client.send(get);
        REQUIRE(client.hears("first|"));

        served.on_thread([&] {
            streams.at(0).lock()->write("farewell");
            served.server().stop();
        });

        CHECK(client.until_end() == "farewell");
        CHECK(streams.at(0).expired());
    }

    TEST_CASE("HEAD gets no stream")
    {
        Streams streams;
        Served served{std::ref(streams)};
        RawClient client{served.port()};

        client.send(head);

        REQUIRE(client.answer(true));
        CHECK(streams.ends(0));
    }

    TEST_CASE("streams are no silent connections: a full house lets none of them go")
    {
        Streams streams;
        http::Limits limits;
        limits.connections = 1;
        Served served{std::ref(streams), limits};
        RawClient client{served.port()};
        client.send(get);
        REQUIRE(client.hears("first|"));

        RawClient late{served.port()};

        CHECK(late.answer()->status == 503);
        CHECK_FALSE(streams.at(0).expired());
    }
}
