#include "admission.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;

namespace {

constexpr std::uint16_t port = 27743;
constexpr uid_t own_user = 1000;

/// A registered portal and the rules of a default configuration.
struct Desk {
    Config config;
    Portals portals;
    std::optional<uid_t> peer_user = own_user;

    Result<Caller> admit(std::vector<http::Field> fields)
    {
        http::Request request;
        request.method = "GET";
        request.target = "/v1/hello";
        request.fields = std::move(fields);
        request.peer_user = peer_user;
        return Admission{config, portals, port, own_user}.admit(request);
    }
};

Desk with_portal()
{
    Desk desk;
    std::vector<ConfigProblem> problems;
    desk.portals.load(std::string{CPS_TEST_FILES} + "/portals.d", true, problems);
    return desk;
}

const http::Field good_host{"Host", "127.0.0.1:27743"};
const http::Field good_origin{"Origin", "https://amelipro.example"};

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("a registered origin at any of the three loopback names is let in")
    {
        auto desk = with_portal();

        CHECK(desk.admit({good_host, good_origin}).has_value());
        CHECK(desk.admit({{"Host", "localhost:27743"}, good_origin}).has_value());
        CHECK(desk.admit({{"host", "[::1]:27743"}, good_origin}).has_value());
        CHECK(desk.admit({good_host, good_origin, {"Sec-Fetch-Mode", "cors"}}).has_value());
    }

    TEST_CASE("a peer of another user, root or one that is not known is refused first of all")
    {
        auto desk = with_portal();
        desk.config.unknown_origins = UnknownOrigins::login;
        const std::optional<uid_t> others[]{own_user + 1, uid_t{0}, std::nullopt};

        for (const auto& other : others) {
            desk.peer_user = other;
            for (const auto& fields : {std::vector<http::Field>{good_host, good_origin},
                                       {{"Host", "evil.example"}, good_origin},
                                       {good_host, {"Origin", "null"}},
                                       {}}) {
                const auto admitted = desk.admit(fields);
                REQUIRE_FALSE(admitted.has_value());
                CHECK(admitted.error().code() == Errc::wrong_user);
            }
        }
        desk.peer_user = own_user;
        CHECK(desk.admit({good_host, good_origin}).has_value());
    }

    TEST_CASE("a Host that is not the agent's own is refused, which stops DNS rebinding")
    {
        auto desk = with_portal();

        for (const auto* const host :
             {"evil.example:27743", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:277430",
              "localhost", "127.0.0.1.evil.example:27743", "", "127.0.0.2:27743",
              "[::]:27743"}) {
            const auto admitted = desk.admit({{"Host", host}, good_origin});
            REQUIRE_FALSE(admitted.has_value());
            CHECK(admitted.error().code() == Errc::host_refused);
        }
        CHECK(desk.admit({good_origin}).error().code() == Errc::host_refused);
        CHECK(desk.admit({good_host, good_host, good_origin}).error().code() ==
              Errc::host_refused);
    }

    TEST_CASE("an Origin that is missing, null, doubled, http or unlisted is refused alike")
    {
        auto desk = with_portal();

        for (const auto* const origin :
             {"null", "", "https://evil.example", "https://amelipro.example.evil.example",
              "https://amelipro.example/", "https://AMELIPRO.example",
              "http://amelipro.example", "https://amelipro.example:443",
              "http://127.0.0.1:8000"}) {
            const auto admitted = desk.admit({good_host, {"Origin", origin}});
            REQUIRE_FALSE(admitted.has_value());
            CHECK(admitted.error().code() == Errc::origin_refused);
        }
        CHECK_FALSE(desk.admit({good_host}).has_value());
        CHECK_FALSE(desk.admit({good_host, good_origin, good_origin}).has_value());
    }

    TEST_CASE("a loopback page may ask over http only where the configuration says so")
    {
        auto desk = with_portal();
        const http::Field loopback{"Origin", "http://127.0.0.1:8000"};

        CHECK_FALSE(desk.admit({good_host, loopback}).has_value());
        desk.config.allow_http_loopback = true;
        CHECK(desk.admit({good_host, loopback}).has_value());
    }

    TEST_CASE("navigations, no-cors requests and service worker scripts are refused")
    {
        auto desk = with_portal();

        for (const auto* const mode : {"navigate", "no-cors", "websocket", "same-origin", ""})
            CHECK_FALSE(
                desk.admit({good_host, good_origin, {"Sec-Fetch-Mode", mode}}).has_value());
        CHECK_FALSE(
            desk.admit({good_host, good_origin, {"Service-Worker", "script"}}).has_value());
        CHECK_FALSE(desk.admit({good_host,
                                good_origin,
                                {"Sec-Fetch-Mode", "cors"},
                                {"Sec-Fetch-Mode", "navigate"}})
                        .has_value());
    }

    TEST_CASE("an unknown origin is a caller without a portal where IT lets it log in")
    {
        auto desk = with_portal();
        desk.config.unknown_origins = UnknownOrigins::login;

        const auto admitted = desk.admit({good_host, {"Origin", "https://new.example"}});

        REQUIRE(admitted.has_value());
        CHECK(admitted->portal == nullptr);
    }

    TEST_CASE("an unknown origin is let in over https alone, and told what it looks like")
    {
        auto desk = with_portal();
        desk.config.unknown_origins = UnknownOrigins::login;
        desk.config.allow_http_loopback = true;

        CHECK(desk.admit({good_host, {"Origin", "http://127.0.0.1:9999"}}).error().code() ==
              Errc::origin_refused);
        CHECK(desk.admit({good_host, {"Origin", "http://127.0.0.1:8000"}}).has_value());
        CHECK(desk.admit({good_host, {"Origin", "https://new.example"}})->resembles.empty());
        CHECK(desk.admit({good_host, {"Origin", "https://ame1ipro.example"}})->resembles ==
              "https://amelipro.example");
    }

    TEST_CASE("a change wants JSON and the header that forces a preflight")
    {
        const auto admit = [](std::vector<http::Field> fields) {
            http::Request request;
            request.fields = std::move(fields);
            return Admission::admit_change(request);
        };
        const http::Field header{"CPS-Agent", "1"};

        CHECK(admit({{"Content-Type", "application/json"}, header}).has_value());
        CHECK(
            admit({{"content-type", "Application/JSON ; charset=utf-8"}, header}).has_value());
        CHECK(admit({{"Content-Type", "text/plain"}, header}).error().code() ==
              Errc::media_type_refused);
        CHECK(admit({{"Content-Type", "application/jsonp"}, header}).error().code() ==
              Errc::media_type_refused);
        CHECK(admit({header}).error().code() == Errc::media_type_refused);
        CHECK(admit({{"Content-Type", "application/json"}}).error().code() ==
              Errc::origin_refused);
        CHECK(
            admit({{"Content-Type", "application/json"}, {"CPS-Agent", "2"}}).error().code() ==
            Errc::origin_refused);
    }

    TEST_CASE("the status page comes by navigation of the own user alone")
    {
        auto desk = with_portal();
        const auto admit = [&](std::vector<http::Field> fields, Admission::PagePart part) {
            http::Request request;
            request.method = "GET";
            request.target = "/";
            request.fields = std::move(fields);
            request.peer_user = desk.peer_user;
            const auto admitted =
                Admission{desk.config, desk.portals, port, own_user}.admit_page(request, part);
            return admitted ? std::optional<Errc>{} : admitted.error().code();
        };
        using enum Admission::PagePart;
        const http::Field own{"Origin", "http://127.0.0.1:27743"};
        const http::Field same{"Sec-Fetch-Site", "same-origin"};
        const http::Field header{"CPS-Agent", "1"};

        CHECK_FALSE(admit({good_host}, page));
        CHECK_FALSE(admit(
            {good_host, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}}, page));
        CHECK(admit({good_host, {"Sec-Fetch-Dest", "iframe"}}, page) == Errc::origin_refused);
        CHECK(admit({good_host, {"Sec-Fetch-Mode", "cors"}}, page) == Errc::origin_refused);
        CHECK(admit({good_host, good_origin}, page) == Errc::origin_refused);
        CHECK(admit({{"Host", "evil.example:27743"}}, page) == Errc::host_refused);

        CHECK_FALSE(admit({good_host, same}, file));
        CHECK(admit({good_host, {"Sec-Fetch-Site", "cross-site"}}, file) ==
              Errc::origin_refused);
        CHECK(admit({good_host, good_origin}, file) == Errc::origin_refused);

        CHECK_FALSE(admit({good_host, same, header}, call));
        CHECK_FALSE(admit({good_host, same, header, own}, call));
        CHECK(admit({good_host, header, own}, call) == Errc::origin_refused);
        CHECK(admit({good_host, same, own}, call) == Errc::origin_refused);
        CHECK(admit({good_host, same, header, good_origin}, call) == Errc::origin_refused);
        CHECK(admit({good_host, same, header, {"Origin", "null"}}, call) ==
              Errc::origin_refused);
        CHECK(admit({good_host, same, header, {"Service-Worker", "script"}}, call) ==
              Errc::origin_refused);

        desk.peer_user = own_user + 1;
        CHECK(admit({good_host}, page) == Errc::wrong_user);
        CHECK(admit({good_host, same, header}, call) == Errc::wrong_user);
    }
}
