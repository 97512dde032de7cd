#include "cps/token/values.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace cps;
using token::Feature;
using token::Nonce;
using token::Origin;
using token::RequestBinding;

TEST_SUITE("token")
{
    TEST_CASE("an origin is taken in its canonical spelling")
    {
        for (const auto* text :
             {"https://portal.example", "https://portal.example:8443", "https://intranet",
              "https://xn--sant-epa.example", "https://192.0.2.7", "https://192.0.2.7:444",
              "https://[2001:db8::1]", "https://[2001:db8::1]:8443", "https://[::]",
              "https://[1::]", "https://[::ffff:c000:207]", "https://[2001:db8:0:1:1:1:1:1]",
              "https://[1:0:0:2::3]", "https://a--b.example", "https://localhost",
              "https://portal.example:80", "https://4u.example", "https://0xg"}) {
            CAPTURE(text);
            REQUIRE(Origin::parse(text));
            CHECK(Origin::parse(text)->str() == text);
        }
    }

    TEST_CASE("an origin of any other spelling is refused")
    {
        for (const auto* text : {"",
                                 "null",
                                 "https:",
                                 "https://",
                                 "https:///",
                                 "HTTPS://portal.example",
                                 "https://Portal.example",
                                 "https://portal.example/",
                                 "https://portal.example/x",
                                 "https://portal.example?x",
                                 "https://portal.example#x",
                                 "https://user@portal.example",
                                 "https://user:pw@portal.example",
                                 "https://portal.example:",
                                 "https://portal.example:443",
                                 "https://portal.example:0443",
                                 "https://portal.example:0",
                                 "https://portal.example:65536",
                                 "https://portal.example:99999999999999",
                                 "https://portal.example:+80",
                                 "https://portal.example:8443/",
                                 "https://portal.example:8443:1",
                                 "https://portal.example.",
                                 "https://.example",
                                 "https://portal..example",
                                 "https://-portal.example",
                                 "https://portal-.example",
                                 "https://santé.example",
                                 "https://portal_x.example",
                                 "https://portal .example",
                                 " https://portal.example",
                                 "https://portal.example\n",
                                 "https://%70ortal.example",
                                 "ftp://portal.example",
                                 "wss://portal.example",
                                 "https:/portal.example",
                                 "https:portal.example",
                                 "portal.example"}) {
            CAPTURE(text);
            CHECK_FALSE(Origin::parse(text));
        }
    }

    TEST_CASE("an origin with a longer label or name than DNS allows is refused")
    {
        const std::string label(63, 'a');
        const std::string name = label + '.' + label + '.' + label;

        CHECK(Origin::parse("https://" + name));
        CHECK_FALSE(Origin::parse("https://" + label + "a.example"));
        CHECK_FALSE(Origin::parse("https://" + name + '.' + std::string(62, 'a')));
    }

    TEST_CASE("an address that browsers would spell otherwise is no origin")
    {
        for (const auto* text : {"https://1",
                                 "https://192.0.2",
                                 "https://192.0.2.07",
                                 "https://192.0.2.256",
                                 "https://0x7f000001",
                                 "https://a.0x1",
                                 "https://192.0.2.7.",
                                 "https://x.7",
                                 "https://[2001:DB8::1]",
                                 "https://[2001:db8:0:0:0:0:0:1]",
                                 "https://[2001:0db8::1]",
                                 "https://[2001:db8::0:1]",
                                 "https://[::192.0.2.7]",
                                 "https://[::ffff:192.0.2.7]",
                                 "https://[0:0:0:0:0:0:0:0]",
                                 "https://[::1",
                                 "https://::1",
                                 "https://[::1]x",
                                 "https://[::1]]",
                                 "https://[]",
                                 "https://[fe80::1%25eth0]",
                                 "https://[v1.x]",
                                 "https://[2001:db8::1:1:1:1:1]",
                                 "https://[1::2:0:0:0:3]"}) {
            CAPTURE(text);
            CHECK_FALSE(Origin::parse(text));
        }
    }

    TEST_CASE("http is an origin for a loopback host alone")
    {
        CHECK(Origin::parse("http://127.0.0.1"));
        CHECK(Origin::parse("http://localhost:8080"));
        CHECK(Origin::parse("http://[::1]:8080"));
        CHECK_FALSE(Origin::parse("http://localhost")->is_https());

        CHECK_FALSE(Origin::parse("http://portal.example"));
        CHECK_FALSE(Origin::parse("http://127.0.0.2"));
        CHECK_FALSE(Origin::parse("http://localhost.example"));
        CHECK_FALSE(Origin::parse("http://127.0.0.1:80"));
    }

    TEST_CASE("a nonce is 32 octets in their one base64url spelling")
    {
        const auto nonce = Nonce::from_bytes(Bytes(32, 0xFB));

        CHECK(nonce.str().size() == 43);
        CHECK(Nonce::parse(nonce.str()) == nonce);
        CHECK_FALSE(Nonce::parse(nonce.str() + "="));
        CHECK_FALSE(Nonce::parse(nonce.str().substr(1)));
        CHECK_FALSE(Nonce::parse(std::string(42, 'A') + "B")); // a trailing bit is set
        CHECK_FALSE(Nonce::parse(std::string(42, 'A') + "+"));
        CHECK_THROWS_AS(Nonce::from_bytes(Bytes(31, 0)), Error);
    }

    TEST_CASE("a feature is 1 to 64 characters of a small alphabet")
    {
        CHECK(Feature::parse("infopatient.read_2-x"));
        CHECK(Feature::parse(std::string(64, 'a')));
        CHECK(Feature::parse("login")->is_login());
        CHECK(Feature::login() == Feature::parse("login"));

        for (const auto* text : {"", "Infopatient", "info patient", "é", "a/b", "a\"b", "a:b"})
            CHECK_FALSE(Feature::parse(text));
        CHECK_FALSE(Feature::parse(std::string(65, 'a')));
    }

    TEST_CASE("a request is bound by method, address at the portal's origin and content")
    {
        const auto origin = Origin::parse("https://portal.example").value();
        const std::string htu = "https://portal.example/a%20b;c=d//e";
        const auto rid = token::request_id(octets("q=1"), {});
        const auto parse = [&](std::string_view m, std::string_view u, std::string_view r) {
            return RequestBinding::parse(origin, m, u, r);
        };

        CHECK(parse("GET", htu, rid) == RequestBinding{"GET", htu, rid});
        CHECK(parse("GET", "https://portal.example/", rid));

        for (const auto* method : {"", "get", "GET ", "G-T", "ABCDEFGHIJKLMNOPQ"})
            CHECK_FALSE(parse(method, htu, rid));
        for (const auto* address :
             {"", "https://portal.example", "https://portal.example:8443/",
              "https://portal.example.evil/", "https://other.example/",
              "https://portal.example/?q", "https://portal.example/#f",
              "https://portal.example/ ", "https://portal.example/\n",
              "https://portal.example/é", "https://portal.example/\x7F",
              "https://portal.example@evil/", "http://portal.example/"}) {
            CAPTURE(address);
            CHECK_FALSE(parse("GET", address, rid));
        }
        const auto longest =
            origin.str() + '/' +
            std::string(RequestBinding::max_htu - origin.str().size() - 1, 'x');
        CHECK(parse("GET", longest, rid));
        CHECK_FALSE(parse("GET", longest + 'x', rid));
        for (const auto& id : {std::string{}, rid + "A", rid.substr(1), rid + "="})
            CHECK_FALSE(parse("GET", htu, id));
    }

    TEST_CASE("rid is the SHA-256 of query, line feed and body")
    {
        // printf 'nir=1\n{}' | sha256sum
        const auto expected = to_base64url(
            *from_hex("ef974c0dbb88e833d3fa3acea271cb6be6673699d9a2bbce7c86a793dfc39e06"));

        CHECK(token::request_id(octets("nir=1"), octets("{}")) == expected);
        CHECK(token::request_id({}, {}) == token::request_id(octets(""), octets("")));
        CHECK(token::request_id(octets("a"), octets("b")) !=
              token::request_id(octets("ab"), {}));
    }

    TEST_CASE("a path that two servers may read in two ways is ambiguous")
    {
        for (const auto* path :
             {"",          "a",         "//",     "/a//b",   "/./a",
              "/a/.",      "/a/..",     "/../a",  "/a/../b", "/%2e/a",
              "/a/%2E%2e", "/a/.%2e/b", "/a%2Fb", "/a%2fb",  "/a%5Cb",
              "/a%5cb",    "/a%00",     "/a\\b",  "/a b",    "/a\tb",
              "/é",        "/a\x7F",    "/a%",    "/a%2",    "/a%zz",
              "/..;x/a",   "/a/..;",    "/a?b",   "/a#b",    "https://portal.example/"}) {
            CAPTURE(path);
            CHECK(token::is_ambiguous_path(path));
        }
        CHECK(token::is_ambiguous_path(std::string_view{"/a\0b", 4}));
    }

    TEST_CASE("a plain path is not ambiguous")
    {
        for (const auto* path : {"/", "/a", "/a/", "/a/b.c", "/a..b", "/...", "/.well-known/x",
                                 "/a%20b", "/a;x=1/b", "/caf%C3%A9", "/%2525"}) {
            CAPTURE(path);
            CHECK_FALSE(token::is_ambiguous_path(path));
        }
    }
}
