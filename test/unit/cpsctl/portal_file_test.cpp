#include "portal_document.hpp"
#include "portal_file.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

using namespace cps;
using namespace cps::ctl;

namespace {

token::Origin origin(std::string_view text)
{
    return *token::Origin::parse(text);
}

/// What the agent makes of `toml` in its portals.d.
agent::Portals read_as_agent(const std::string& toml)
{
    char name[] = "/tmp/cps-portal-XXXXXX";
    const std::filesystem::path folder = ::mkdtemp(name);
    std::ofstream{folder / "one.toml"} << toml;
    agent::Portals portals;
    std::vector<agent::ConfigProblem> problems;
    portals.load(folder, false, problems);
    for (const auto& problem : problems)
        MESSAGE(problem.str());
    CHECK(problems.empty());
    std::filesystem::remove_all(folder);
    return portals;
}

} // namespace

TEST_SUITE("cpsctl")
{
    TEST_CASE("the agent reads from the file what the portal published, quotes and all")
    {
        const auto portal = read_portal_document(R"({"v":1,"origin":"https://one.example",
            "name":{"fr":"L'\"un\" \\ [x] = # é"},
            "features":[{"id":"a.b-c_1","label":{"fr":"\\u0041\"","en":"'''"},"mode":"card"},
                        {"id":"z","label":{"fr":"Z"},"mode":"session","limit":10000}],
            "redirect_uris":["https://one.example/a","https://one.example/b\"\\"],
            "revoke_uri":"https://one.example/r","web_eid":true})");
        REQUIRE(portal.has_value());

        const auto portals = read_as_agent(to_toml(*portal));

        const auto* const read = portals.find(portal->origin);
        REQUIRE(read != nullptr);
        CHECK(read->name.fr == portal->name.fr);
        CHECK(read->name.en.empty());
        CHECK(read->redirect_uris == portal->redirect_uris);
        CHECK(read->revoke_uri == portal->revoke_uri);
        CHECK(read->web_eid);
        REQUIRE(read->features.size() == 2);
        for (const auto& [id, feature] : portal->features) {
            CHECK(read->features.at(id).label.fr == feature.label.fr);
            CHECK(read->features.at(id).label.en == feature.label.en);
            CHECK(read->features.at(id).mode == feature.mode);
            CHECK(read->features.at(id).limit == feature.limit);
        }
    }

    TEST_CASE("a portal of nothing but its name is a portal")
    {
        const auto portal = read_portal_document(
            R"({"v":1,"origin":"https://one.example","name":{"fr":"Un"},"features":[]})");

        REQUIRE(portal.has_value());
        CHECK(read_as_agent(to_toml(*portal)).find(portal->origin) != nullptr);
    }

    TEST_CASE("each origin has a file name of its own that stays in the folder")
    {
        CHECK(file_name_of(origin("https://one.example")) == "one.example.toml");
        CHECK(file_name_of(origin("https://one.example:8443")) == "one.example-8443.toml");
        CHECK(file_name_of(origin("http://[::1]:8000")) == "http-_--1_-8000.toml");
        std::string host = "a";
        while (host.size() < 240)
            host += ".aaaaaaa";
        const auto one = file_name_of(origin("https://" + host + ".one"));
        const auto two = file_name_of(origin("https://" + host + ".two"));
        CHECK(one.size() < 255);
        CHECK(one != two);
    }
}
