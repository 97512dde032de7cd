#include "host_name.hpp"
#include "site_words.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;

namespace {

using Kind = HostName::Kind;

token::Origin origin(std::string_view text)
{
    return *token::Origin::parse(text);
}

Portals registered()
{
    Portals portals;
    std::vector<ConfigProblem> problems;
    portals.load(std::string{CPS_TEST_FILES} + "/portals.d", true, problems);
    return portals; // https://amelipro.example, http://127.0.0.1:8000
}

bool contains(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("a Latin international name is shown to the letter and as it reads")
    {
        CHECK(HostName::read("amelipro.example").kind == Kind::ascii);
        CHECK(HostName::read("xn--caf-dma.example").kind == Kind::latin);
        CHECK(HostName::read("www.xn--uvre-f4a.example").unicode == "www.œuvre.example");

        CHECK(site_lines(origin("https://xn--caf-dma.example:8443"), "fr") ==
              "Site : https://xn--caf-dma.example:8443\nSe lit : café.example");
        CHECK(site_lines(origin("https://amelipro.example"), "en") ==
              "Site: https://amelipro.example");
        CHECK(site_warnings(origin("https://xn--caf-dma.example"), "", "fr").empty());
    }

    TEST_CASE("a name with Cyrillic, Greek or odd Latin letters is never shown decoded")
    {
        for (const auto* const host :
             {"xn--80ak6aa92e.example",    // five Cyrillic letters that read "apple"
              "xn--pple-43d.example",      // one Cyrillic letter among Latin ones
              "xn--melipro-1fg.example",   // the same for amelipro
              "xn--nave-mza.example",      // a dotless i
              "xn--mxacd.example",         // Greek
              "xn--4dbcd.example",         // Hebrew, written from right to left
              "xn--caf-dma.xn--pple-43d"}) // a Latin label beside a mixed one
        {
            CAPTURE(host);
            const auto site = origin("https://" + std::string{host});
            CHECK(HostName::read(host).kind == Kind::foreign);
            CHECK(HostName::read(host).unicode.empty());
            CHECK(site_lines(site, "fr") == "Site : " + site.str());
            CHECK(contains(site_warnings(site, "", "fr"), "autre alphabet"));
            CHECK(contains(site_warnings(site, "", "en"), "another alphabet"));
        }
    }

    TEST_CASE("a label that hides a bidirectional or joining character does not decode")
    {
        for (const auto* const host : {"xn--ab-g4t.example", // U+202E
                                       "xn--ab-m1t.example", // U+200D
                                       "xn--abc-.example", "xn--zzzzzz99999.example"}) {
            CAPTURE(host);
            if (!token::Origin::parse("https://" + std::string{host}))
                continue; // not even an origin
            const auto site = origin("https://" + std::string{host});
            CHECK(HostName::read(host).kind == Kind::undecodable);
            CHECK(contains(site_warnings(site, "", "fr"), "pas un nom international valide"));
        }
        CHECK(token::Origin::parse("https://xn--ab-g4t.example"));
        CHECK_FALSE(token::Origin::parse("https://caf\u00E9.example"));
        CHECK_FALSE(token::Origin::parse("https://a\u202Eb.example"));
    }

    TEST_CASE("the end of a very long host stays in sight, and nothing of it is left out")
    {
        std::string long_host = "amelipro.example.login";
        while (long_host.size() < 220)
            long_host += ".aaaaaaaaaaaaaaaaaaaa";
        const auto site = origin("https://" + long_host + ".evil.test");

        const auto lines = site_lines(site, "fr");

        const auto first = lines.substr(0, lines.find('\n'));
        CHECK(first.ends_with(".evil.test"));
        CHECK(first.size() < 70);
        std::string rows;
        for (auto rest = lines.substr(lines.find("En entier :"));
             rest.find("\n") != std::string::npos;) {
            rest = rest.substr(rest.find("\n") + 3);
            auto row = rest.substr(0, rest.find('\n'));
            if (row.ends_with("…"))
                row.resize(row.size() - std::string_view{"…"}.size()); // it goes on
            rows += row;
        }
        CHECK(rows == site.str());
    }

    TEST_CASE("an unknown origin that looks like a registered one is told, and with which")
    {
        const auto portals = registered();
        const auto looks = [&](std::string_view text) {
            return resembles_registered(origin(text), portals);
        };

        for (const auto* const host :
             {"xn--melipro-1fg.example",               // Cyrillic a
              "xn--amlipro-cya.example",               // é
              "xn--amelpro-ufb.example",               // dotless i
              "ameli-pro.example", "ame1ipro.example", // a hyphen, a digit
              "arnelipro.example", "amelipr0.example", // rn, a zero
              "amelipro.example.login-portal.test"}) { // under another's domain
            CAPTURE(host);
            CHECK(looks("https://" + std::string{host}) == "https://amelipro.example");
        }
        CHECK(looks("https://amelipro.example:8443").empty());
        CHECK(looks("https://www.amelipro.example").empty());
        CHECK(looks("https://hospital.example").empty());
        CHECK(looks("https://amelipro.test").empty());
        const auto warned =
            site_warnings(origin("https://ame1ipro.example"), "https://amelipro.example", "fr");
        CHECK(contains(warned, "ressemble à https://amelipro.example"));
    }
}
