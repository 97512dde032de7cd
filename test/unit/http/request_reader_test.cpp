#include "request_reader.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cps;
using http::RequestReader;
using Step = RequestReader::Step;
using namespace std::string_literals;

namespace {

constexpr std::size_t head_limit = 8 * 1024;
constexpr std::size_t body_limit = 64 * 1024;

struct Reading {
    Step step = Step::needs_more;
    http::Refusal refusal;
    http::Request request;
    std::string rest;
    bool keep_alive = false;
};

/// Reads `octets` handed over in pieces of `piece`, until they or the request end.
Reading read_in(std::size_t piece, const std::string& octets)
{
    RequestReader reader{head_limit, body_limit};
    Reading reading;
    for (std::size_t at = 0; at < octets.size(); at += piece) {
        reading.rest += octets.substr(at, piece);
        reading.step = reader.feed(reading.rest);
        if (reading.step == Step::complete || reading.step == Step::refused)
            break;
    }
    reading.refusal = reader.refusal();
    reading.request = reader.request();
    reading.keep_alive = reader.keep_alive();
    return reading;
}

/// The same in one piece and octet by octet, which must not differ.
Reading read(const std::string& octets)
{
    const auto whole = read_in(octets.size(), octets);
    const auto single = read_in(1, octets);
    CHECK((whole.step == single.step || single.step == Step::wants_body));
    CHECK(whole.refusal.status == single.refusal.status);
    CHECK(whole.request.fields == single.request.fields);
    CHECK(whole.request.body == single.request.body);
    return whole;
}

unsigned refused(const std::string& octets)
{
    const auto reading = read(octets);
    CHECK(reading.step == Step::refused);
    return reading.refusal.status;
}

std::string head_of_size(std::size_t size)
{
    const std::string start = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
    return start + std::string(size - start.size() - 4, 'a') + "\r\n\r\n";
}

std::string chunk(std::size_t size)
{
    char length[16];
    std::snprintf(length, sizeof length, "%zx\r\n", size);
    return length + std::string(size, 'b') + "\r\n";
}

const std::string post = "POST /v1/tokens HTTP/1.1\r\nHost: x\r\n";

} // namespace

TEST_SUITE("http")
{
    TEST_CASE("a request is read whole, and what follows it is left alone")
    {
        const auto reading = read("POST /v1/tokens?a=b HTTP/1.1\r\nHost: 127.0.0.1:1\r\n"
                                  "Content-Length: 5\r\nOrigin:  https://a.example \r\n\r\n"
                                  "helloGET /next");

        CHECK(reading.step == Step::complete);
        CHECK(reading.request.method == "POST");
        CHECK(reading.request.path() == "/v1/tokens");
        CHECK(reading.request.query() == "a=b");
        CHECK(reading.request.field("origin") == "https://a.example");
        CHECK(reading.request.body == "hello");
        CHECK(reading.rest == "GET /next");
        CHECK(reading.keep_alive);
    }

    TEST_CASE("a head of exactly the limit is read, one octet more is too large")
    {
        CHECK(read(head_of_size(head_limit)).step == Step::complete);
        CHECK(refused(head_of_size(head_limit + 1)) == 431);
    }

    TEST_CASE("a request line that never ends is too large")
    {
        CHECK(refused("GET /" + std::string(2 * head_limit, 'a')) == 431);
    }

    TEST_CASE("a body above the limit is refused at its Content-Length, before it comes")
    {
        CHECK(read(post + "Content-Length: 65536\r\n\r\n" + std::string(65536, 'b')).step ==
              Step::complete);
        CHECK(refused(post + "Content-Length: 65537\r\n\r\n") == 413);
        CHECK(refused(post + "Content-Length: 18446744073709551615\r\n\r\n") == 413);
    }

    TEST_CASE("a chunked body is read, and bounded by what it adds up to")
    {
        const auto chunked = post + "Transfer-Encoding: chunked\r\n\r\n";

        const auto reading = read(chunked + "3\r\nabc\r\n2;name=\"v\"\r\nde\r\n0\r\n\r\nrest");
        const auto full = read(chunked + chunk(65535) + chunk(1) + "0\r\n\r\n");

        CHECK(reading.step == Step::complete);
        CHECK(reading.request.body == "abcde");
        CHECK(reading.rest == "rest");
        CHECK(full.step == Step::complete);
        CHECK(full.request.body.size() == body_limit);
        CHECK(refused(chunked + chunk(65535) + chunk(2) + "0\r\n\r\n") == 413);
        CHECK(refused(chunked + "FFFFFFFFFFFFFFFF\r\n") == 413);
    }

    TEST_CASE("chunks that are mostly extension do not cost more than bodies may")
    {
        std::string octets = post + "Transfer-Encoding: chunked\r\n\r\n";
        for (int i = 0; i != 400; ++i)
            octets += "1;" + std::string(2000, 'e') + "\r\nb\r\n";

        const auto reading = read_in(1000, octets);

        CHECK(reading.step == Step::refused);
        CHECK(reading.refusal.status == 413);
    }

    TEST_CASE("a chunk's line or a trailer that never ends is refused")
    {
        const auto chunked = post + "Transfer-Encoding: chunked\r\n\r\n";

        CHECK(refused(chunked + "1;" + std::string(70'000, 'e')) == 400);
        CHECK(refused(chunked + "0\r\n" + "X: " + std::string(70'000, 'e')) == 400);
    }

    TEST_CASE("a trailer never becomes a field")
    {
        const auto reading = read(post + "Transfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n"
                                         "Origin: https://evil.example\r\nHost: evil\r\n\r\n");

        CHECK(reading.step == Step::complete);
        CHECK(reading.request.count("Origin") == 0);
        CHECK(reading.request.field("Host") == "x");
    }

    TEST_CASE("lengths that two servers could read differently are refused")
    {
        CHECK(refused(post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab") == 400);
        CHECK(refused(post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na") == 400);
        CHECK(refused(post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
        CHECK(refused(post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n") == 400);
        CHECK(refused(post + "Content-Length: -1\r\n\r\n") == 400);
        CHECK(refused(post + "Content-Length: 1x\r\n\r\n") == 400);
        CHECK(refused(post + "Content-Length: +1\r\n\r\na") == 400);
        CHECK(refused(post + "Content-Length: 1, 1\r\n\r\na") == 400);
        CHECK(refused(post + "Content-Length:\r\n\r\n") == 400);
        CHECK(refused(post + "Content-Length : 1\r\n\r\na") == 400);
        CHECK(refused(post + "Transfer-Encoding: gzip\r\n\r\n") == 400);
        CHECK(refused(post + "Transfer-Encoding: gzip, chunked\r\n\r\n") == 400);
        CHECK(refused(post + "Transfer-Encoding: xchunked\r\n\r\n") == 400);
        CHECK(refused(post +
                      "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n") ==
              400);
        CHECK(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
    }

    TEST_CASE("control characters, bare line ends and folded lines are refused at once")
    {
        CHECK(refused("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n"s) == 400);
        CHECK(refused("GET /\0 HTTP/1.1\r\n\r\n"s) == 400);
        CHECK(refused("\0"s) == 400);
        CHECK(refused("\x16\x03\x01"s) == 400); // a TLS ClientHello
        CHECK(refused("GET / HTTP/1.1\nHost: x\n\n") == 400);
        CHECK(refused("GET / HTTP/1.1\r\nHost: x\n\r\n") == 400);
        CHECK(refused("GET / HTTP/1.1\r\nX: a\rb\r\n\r\n") == 400);
        CHECK(refused("GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n") == 400);
        CHECK(refused("GET / HTTP/1.1\r\nX: a\r\n\tfolded\r\n\r\n") == 400);
        CHECK(refused("GET / HTTP/1.1\r\n Host: x\r\n\r\n") == 400);
        CHECK(refused("GET / HTTP/1.1\r\nX: \x7f\r\n\r\n") == 400);
        CHECK(refused("GET / HTTP/1.1\r\nno colon\r\n\r\n") == 400);
        CHECK(refused("GET / HTTP/1.1\r\n: no name\r\n\r\n") == 400);
        CHECK(refused("GET / HTTP/1.1\r\nb d: x\r\n\r\n") == 400);
    }

    TEST_CASE("only origin-form targets in plain ASCII are taken")
    {
        CHECK(refused("GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
        CHECK(refused("GET https://evil.example/v1/status HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
        CHECK(refused("CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
        CHECK(refused("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
        CHECK(refused("GET /caf\xC3\xA9 HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
        CHECK(refused("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
        CHECK(refused("GET  / HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
        CHECK(refused("GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
        CHECK(refused("GET /\r\n\r\n") == 400);
        CHECK(refused("GET / HTTP/2.0\r\n\r\n") == 400);
        CHECK(refused("GET / HTTP/1.2\r\n\r\n") == 400);
        CHECK(refused("GET / http/1.1\r\n\r\n") == 400);
        CHECK(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 400);
        CHECK(refused("G@T / HTTP/1.1\r\n\r\n") == 400);
    }

    TEST_CASE("one empty line before a request is passed over, two are not a request")
    {
        CHECK(read("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").step == Step::complete);
        CHECK(refused("\r\n\r\nGET / HTTP/1.1\r\n\r\n") == 400);
    }

    TEST_CASE("a field sent twice is seen as none")
    {
        const auto reading =
            read("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\nOrigin: https://a\r\n"
                 "ORIGIN: https://b\r\n\r\n");

        CHECK(reading.step == Step::complete);
        CHECK(reading.request.count("Host") == 2);
        CHECK_FALSE(reading.request.field("Host"));
        CHECK_FALSE(reading.request.field("Origin"));
    }

    TEST_CASE(
        "a client that waits for `100 Continue` is told so once, one that does not wait is not")
    {
        const auto head = post + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n";
        RequestReader reader{head_limit, body_limit};
        auto inbox = head;

        CHECK(reader.feed(inbox) == Step::wants_body);
        inbox = "a";
        CHECK(reader.feed(inbox) == Step::needs_more);
        inbox = "b";
        CHECK(reader.feed(inbox) == Step::complete);
        CHECK(reader.request().body == "ab");

        RequestReader eager{head_limit, body_limit};
        inbox = head + "a";
        CHECK(eager.feed(inbox) == Step::needs_more);

        CHECK(refused(post + "Expect: something\r\n\r\n") == 417);
        CHECK(refused(post + "Content-Length: 65537\r\nExpect: 100-continue\r\n\r\n") == 413);
    }

    TEST_CASE("HTTP/1.0 closes unless asked to stay, HTTP/1.1 stays unless asked to close")
    {
        CHECK_FALSE(read("GET / HTTP/1.0\r\n\r\n").keep_alive);
        CHECK(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
        CHECK(read("GET / HTTP/1.1\r\n\r\n").keep_alive);
        CHECK_FALSE(read("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").keep_alive);
    }
}
