// The fourth step: the token is for this feature and this request; and the whole.
#include "portal.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace cps;
using test::Portal;

TEST_SUITE("verify")
{
    TEST_CASE("a token for another feature than the portal's routing requires is refused")
    {
        Portal login;
        auto draft = login.login();
        draft.claims["feat"] = boost::json::array{"infopatient.read"};
        CHECK(login.login_code(draft) == "feature_refused");

        Portal wider;
        draft = wider.login();
        draft.claims["feat"] = boost::json::array{"login", "infopatient.read"};
        CHECK(wider.login_code(draft) == "feature_refused");

        Portal request;
        draft = request.request();
        draft.claims["feat"] = boost::json::array{"infopatient.write"};
        CHECK(request.request_code(draft) == "feature_refused");
    }

    TEST_CASE("a token for another request is refused, byte for byte")
    {
        const std::pair<const char*, std::string> changes[] = {
            {"htm", "GET"},
            {"htm", "post"},
            {"htu", "https://portal.example/patient/"},
            {"htu", "https://portal.example/Patient"},
            {"htu", "https://portal.example/%70atient"},
            {"htu", "https://other.example/patient"},
            {"htu", ""},
            {"rid", token::request_id(octets("rights=2"), {})},
            {"rid", std::string(64, 'A')},
        };
        for (const auto& [claim, value] : changes) {
            CAPTURE(claim);
            CAPTURE(value);
            Portal portal;
            auto draft = portal.request();
            draft.claims[claim] = value;
            CHECK(portal.request_code(draft) == "request_mismatch");
        }
    }

    TEST_CASE("one changed character anywhere in a token makes it refused")
    {
        Portal portal;
        const auto good = portal.request().sign(test::card_key());
        const auto expected = portal.request_expected();
        REQUIRE(portal.code(good, expected) == "accepted");

        for (std::size_t at = 0; at != good.size(); ++at) {
            auto changed = good;
            changed[at] = changed[at] == 'A' ? 'B' : 'A';
            portal.hand_out();
            if (portal.verify(changed, expected).has_value())
                FAIL("accepted with another character at ", at);
        }
    }

    TEST_CASE("a token cut short anywhere is refused")
    {
        Portal portal;
        const auto good = portal.request().sign(test::card_key());
        const auto expected = portal.request_expected();

        for (std::size_t size = 0; size != good.size(); ++size) {
            portal.hand_out();
            if (portal.verify(good.substr(0, size), expected).has_value())
                FAIL("accepted cut at ", size);
        }
        portal.hand_out();
        CHECK(portal.code(good, expected) == "accepted");
    }
}
