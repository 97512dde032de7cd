#include "cps/http/message.hpp"
#include "wire.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace cps;

namespace {

std::string_view spoken(std::string value, std::string_view fallback = "en")
{
    http::Request request;
    request.fields.emplace_back("accept-language", std::move(value));
    return http::language_of(request, fallback);
}

} // namespace

TEST_SUITE("http")
{
    TEST_CASE("path and query part at the first question mark")
    {
        http::Request request;
        request.target = "/v1/authorize?request=a?b";
        http::Request plain;
        plain.target = "/v1/status";

        CHECK(request.path() == "/v1/authorize");
        CHECK(request.query() == "request=a?b");
        CHECK(plain.path() == "/v1/status");
        CHECK(plain.query().empty());
    }

    TEST_CASE("the language is the better weighted one of French and English")
    {
        CHECK(spoken("fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7") == "fr");
        CHECK(spoken("en-US,en;q=0.5", "fr") == "en");
        CHECK(spoken("de, FR;q=0.3, en;q=0.2") == "fr");
        CHECK(spoken("fr;q=0.2, en;q=0.8", "fr") == "en");
        CHECK(spoken("fr;q=0.200,en;q=0.201", "fr") == "en");
        CHECK(spoken("fr; Q=1.000, en") == "fr");
    }

    TEST_CASE("a draw of languages goes to the one named first")
    {
        CHECK(spoken("en, fr", "fr") == "en");
        CHECK(spoken("fr, en", "en") == "fr");
    }

    TEST_CASE("the star stands for the language that is not named")
    {
        CHECK(spoken("en;q=0.1, *;q=0.9", "en") == "fr");
        CHECK(spoken("de, *;q=0.5", "fr") == "fr");
        CHECK(spoken("fr;q=0, *", "fr") == "en");
    }

    TEST_CASE("the fallback is spoken where neither language is wanted or the field is spoilt")
    {
        CHECK(spoken("de, it;q=0.5", "fr") == "fr");
        CHECK(spoken("", "fr") == "fr");
        CHECK(spoken("en;q=2", "fr") == "fr");
        CHECK(spoken("en;q=1.001", "fr") == "fr");
        CHECK(spoken("en;q=", "fr") == "fr");
        CHECK(spoken("en;q=0.1234", "fr") == "fr");
        CHECK(spoken("en;level=1", "fr") == "fr");
        CHECK(spoken("english", "fr") == "fr");
        CHECK(spoken(",,;,;;=,en;", "fr") == "fr");
        CHECK(spoken("en;q=0", "fr") == "fr");
        CHECK(http::language_of({}, "fr") == "fr");
    }

    TEST_CASE("a problem says code, status and, in the person's language, what to do")
    {
        const auto response = http::problem(Errc::pin_wrong, "fr", 2);
        const auto body = boost::json::parse(response.body).as_object();

        CHECK(response.status == 422);
        CHECK(response.content_type == "application/problem+json");
        CHECK(body.at("type") == "about:blank");
        CHECK(body.at("title") == "Unprocessable Content");
        CHECK(body.at("status") == 422);
        CHECK(body.at("code") == "pin_wrong");
        CHECK(body.at("tries_left") == 2);
        CHECK(body.at("detail").as_string() == explain(Errc::pin_wrong, "fr"));
        CHECK(body.at("detail").as_string() != explain(Errc::pin_wrong, "en"));
    }

    TEST_CASE("a problem takes another status than its code's where it is given one")
    {
        const auto response = http::problem(Errc::too_large, "en", {}, 431);
        const auto body = boost::json::parse(response.body).as_object();

        CHECK(response.status == 431);
        CHECK(body.at("status") == 431);
        CHECK(body.at("code") == "too_large");
        CHECK_FALSE(body.contains("tries_left"));
    }

    TEST_CASE("every status that an error has comes with its phrase")
    {
        for (int i = 0; i <= static_cast<int>(Errc::cancelled); ++i)
            CHECK(http::reason_phrase(http_status(static_cast<Errc>(i))) != "Status");
    }

    TEST_CASE("an answer on the wire is framed and guarded by us, whatever the handler sets")
    {
        http::Response response{201,
                                "text/plain",
                                {{"X-Own", "1"},
                                 {"content-length", "99"},
                                 {"Transfer-Encoding", "chunked"},
                                 {"connection", "upgrade"}},
                                "abc"};

        const auto octets = http::to_octets(response, {false, false, false, 784111777});

        CHECK(octets == "HTTP/1.1 201 Created\r\n"
                        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" // RFC 9110, 5.6.7
                        "Content-Type: text/plain\r\n"
                        "Content-Length: 3\r\n"
                        "Cache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "X-Own: 1\r\n"
                        "Connection: close\r\n"
                        "\r\n"
                        "abc");
    }

    TEST_CASE("a handler's own caching and sniffing fields replace ours")
    {
        const http::Response response{
            200, "text/css", {{"cache-control", "max-age=60"}}, "a{}"};

        const auto octets = http::to_octets(response, {true, false, false, 0});

        CHECK(octets.find("no-store") == std::string::npos);
        CHECK(octets.find("cache-control: max-age=60") != std::string::npos);
        CHECK(octets.find("nosniff") != std::string::npos);
        CHECK(octets.find("Connection") == std::string::npos);
    }

    TEST_CASE("204 has neither body nor length, and HEAD has the length alone")
    {
        const http::Response none{204, "", {}, "lost"};
        const http::Response some{200, "text/plain", {}, "12345"};

        const auto empty = http::to_octets(none, {true, false, false, 0});
        const auto head = http::to_octets(some, {true, true, true, 0});

        CHECK(empty.find("Content-Length") == std::string::npos);
        CHECK(empty.ends_with("\r\n\r\n"));
        CHECK(head.find("Content-Length: 5\r\n") != std::string::npos);
        CHECK(head.find("Connection: keep-alive\r\n") != std::string::npos);
        CHECK(head.ends_with("\r\n\r\n"));
    }

    TEST_CASE("an answer whose fields could end their line is not well formed")
    {
        const auto with = [](std::string name, std::string value) {
            http::Response response;
            response.fields.emplace_back(std::move(name), std::move(value));
            return response;
        };

        CHECK(http::well_formed(with("X-A", "plain, caf\xC3\xA9")));
        CHECK_FALSE(http::well_formed(with("X-A", "a\r\nSet-Cookie: b")));
        CHECK_FALSE(http::well_formed(with("X-A", "a\nb")));
        CHECK_FALSE(http::well_formed(with("X A", "a")));
        CHECK_FALSE(http::well_formed(with("X:A", "a")));
        CHECK_FALSE(http::well_formed(with("", "a")));
        CHECK_FALSE(http::well_formed({200, "text/plain\r\nX: y", {}, ""}));
        CHECK_FALSE(http::well_formed({101, "", {}, ""}));
        CHECK_FALSE(http::well_formed({1000, "", {}, ""}));
    }
}
