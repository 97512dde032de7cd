#include "demo-portal/cookie.hpp"
#include "demo-portal/login_limit.hpp"
#include "demo-portal/password.hpp"
#include "demo-portal/patients.hpp"
#include "demo-portal/sessions.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace cps;
using namespace std::chrono_literals;

namespace {

class SetClock final : public Clock {
public:
    EpochSeconds now() const override { return epoch_seconds(1'790'000'000); }
    std::chrono::steady_clock::time_point steady() const override { return time; }
    std::chrono::steady_clock::time_point time{1000h};
};

http::Request with_cookie(std::string line)
{
    http::Request request;
    request.fields = {{"cookie", std::move(line)}};
    return request;
}

} // namespace

TEST_SUITE("demo_portal")
{
    TEST_CASE("a password matches its hash alone, and two hashes of it differ")
    {
        const auto hash = portal::PasswordHash::make("secret");

        CHECK(hash.matches("secret"));
        CHECK_FALSE(hash.matches("Secret"));
        CHECK_FALSE(hash.matches(""));
        CHECK(portal::PasswordHash::parse(hash.str())->matches("secret"));
        CHECK(hash.str() != portal::PasswordHash::make("secret").str());
        CHECK_FALSE(portal::PasswordHash::of_nobody().matches("secret"));
    }

    TEST_CASE("a hash of another form is refused")
    {
        const auto good = portal::PasswordHash::make("secret").str();
        for (const auto& text :
             {std::string{}, std::string{"secret"}, good + "A", good.substr(1),
              std::string{"scrypt$1$8$1$"} + good.substr(14)})
            CHECK_FALSE(portal::PasswordHash::parse(text).has_value());
    }

    TEST_CASE("a session ends after an hour unused, and after four in any case")
    {
        SetClock clock;
        portal::Sessions sessions{clock};
        const auto idle = sessions.open("claire");
        clock.time += 61min;
        CHECK(sessions.find(idle) == nullptr);

        const auto busy = sessions.open("claire");
        for (int i = 0; i != 8; ++i) {
            clock.time += 30min;
            CHECK(sessions.find(busy) != nullptr);
        }
        clock.time += 1min;
        CHECK(sessions.find(busy) == nullptr);
    }

    TEST_CASE("a renamed session keeps what it knows and forgets its old cookie")
    {
        const SetClock clock;
        portal::Sessions sessions{clock};
        const auto old = sessions.open("claire");
        const auto id = sessions.find(old)->id;

        const auto fresh = sessions.rename(old);

        REQUIRE(fresh);
        CHECK(sessions.find(old) == nullptr);
        CHECK(sessions.find(*fresh)->id == id);
        CHECK_FALSE(sessions.rename(old).has_value());
    }

    TEST_CASE("too many sessions push the longest unused one out")
    {
        SetClock clock;
        portal::Sessions sessions{clock};
        const auto first = sessions.open("claire");
        clock.time += 1s;
        const auto second = sessions.open("claire");
        for (std::size_t i = 2; i != portal::Sessions::max_sessions; ++i)
            sessions.open("claire");
        clock.time += 1s;

        const auto last = sessions.open("claire");

        CHECK(sessions.find(first) == nullptr);
        CHECK(sessions.find(second) != nullptr);
        CHECK(sessions.find(last) != nullptr);
    }

    TEST_CASE("five wrong passwords in a minute make that login wait, and no other")
    {
        SetClock clock;
        portal::LoginLimit limit{clock};
        for (int i = 0; i != 5; ++i) {
            CHECK_FALSE(limit.wait("claire").has_value());
            limit.failed("claire");
        }

        CHECK(limit.wait("claire") == 60s);
        CHECK_FALSE(limit.wait("paul").has_value());
        clock.time += 60s;
        CHECK_FALSE(limit.wait("claire").has_value());
    }

    TEST_CASE("guessing over many logins is slowed down as well")
    {
        const SetClock clock;
        portal::LoginLimit limit{clock};
        for (std::size_t i = 0; i != portal::LoginLimit::failures_in_all; ++i)
            limit.failed("login" + std::to_string(i));

        CHECK(limit.wait("claire").has_value());
    }

    TEST_CASE("right passwords are never counted against anybody")
    {
        const SetClock clock;
        portal::LoginLimit limit{clock};
        for (int i = 0; i != 200; ++i) {
            limit.failed("claire");
            limit.succeeded("claire");
        }

        CHECK_FALSE(limit.wait("claire").has_value());
        CHECK_FALSE(limit.wait("paul").has_value());
    }

    TEST_CASE("the cookie is found among others; sent twice, it is none")
    {
        const portal::SessionCookie cookie{
            token::Origin::parse("https://portal.example").value()};

        CHECK(cookie.of(with_cookie("a=b; __Host-portal=xyz; c=d")) == "xyz");
        CHECK_FALSE(cookie.of(with_cookie("x__Host-portal=xyz")).has_value());
        CHECK_FALSE(cookie.of(with_cookie("__Host-portal=1; __Host-portal=2")).has_value());
        CHECK_FALSE(cookie.of(http::Request{}).has_value());
        CHECK(cookie.set("v").second.ends_with("; Secure"));
    }

    TEST_CASE("a patient's number has one spelling, and every patient has a true key")
    {
        CHECK(portal::nir_of_query("nir=258010000000180") == "258010000000180");
        for (const auto* query : {"", "nir=", "nir=25801000000018", "nir=2580100000001800",
                                  "nir=258010000000180&a", "nir=25801000000018A"})
            CHECK_FALSE(portal::nir_of_query(query).has_value());
        for (const auto* nir : {"258010000000180", "187060000000249", "219120000000331"}) {
            const auto number = std::stoll(std::string{nir}.substr(0, 13));
            CHECK(std::stoll(std::string{nir}.substr(13)) == 97 - number % 97);
            CHECK(portal::patient(nir).has_value());
        }
        CHECK_FALSE(portal::patient("299990000000099").has_value());
    }
}
