#include "cps/token/challenge.hpp"

#include "cps/token/feature_list.hpp"

#include <doctest/doctest.h>

using namespace cps;
using token::Challenge;

namespace {

const std::string nonce(43, 'A');

std::string challenge(std::string_view changed_from = "", std::string_view to = "")
{
    auto text = R"({"v":1,"nonce":")" + nonce +
                R"(","ts":1790000000,"feat":["infopatient.read","login"],"ttl":600})";
    if (!changed_from.empty()) {
        const auto at = text.find(changed_from);
        REQUIRE(at != std::string::npos);
        text.replace(at, changed_from.size(), to);
    }
    return text;
}

bool accepts(std::string_view json)
{
    return Challenge::parse(json).has_value();
}

} // namespace

TEST_SUITE("token")
{
    TEST_CASE("a challenge is read, and written as it was")
    {
        const auto read = Challenge::parse(challenge());

        REQUIRE(read.has_value());
        CHECK(read->nonce.str() == nonce);
        CHECK(to_number(read->issued) == 1790000000);
        REQUIRE(read->features.size() == 2);
        CHECK(read->features[0].str() == "infopatient.read");
        CHECK(read->ttl == std::chrono::seconds{600});
        CHECK(read->to_json() == challenge());
    }

    TEST_CASE("a challenge that asks for longer than ten minutes gets ten minutes")
    {
        const auto read = Challenge::parse(challenge("600", "9007199254740991"));

        REQUIRE(read.has_value());
        CHECK(read->ttl == Challenge::max_ttl);
    }

    TEST_CASE("a challenge with anything amiss is refused")
    {
        const std::pair<const char*, const char*> changes[] = {
            {"\"v\":1", "\"v\":2"},
            {"\"v\":1", "\"v\":\"1\""},
            {"\"v\":1,", ""},
            {"\"v\":1", "\"v\":1,\"v\":1"},
            {"\"v\":1", "\"v\":1,\"aud\":\"https://portal.example\""},
            {"\"nonce\"", "\"nonse\""},
            {"AAAA\"", "AAA\""},
            {"AAAA\"", "AAA=\""},
            {"1790000000", "-1"},
            {"1790000000", "1790000000.0"},
            {"1790000000", "\"1790000000\""},
            {"600", "0"},
            {"600", "-600"},
            {"600", "null"},
            {"\"infopatient.read\",\"login\"", ""},
            {"\"login\"", "\"infopatient.read\""},
            {"\"login\"", "\"Login\""},
            {"\"login\"", "7"},
            {"[\"infopatient.read\",\"login\"]", "\"login\""},
            {"{", "[{"},
        };
        for (const auto& [from, to] : changes) {
            CAPTURE(from);
            CAPTURE(to);
            const auto read = Challenge::parse(challenge(from, to));
            REQUIRE_FALSE(read.has_value());
            CHECK(read.error().code() == Errc::challenge_invalid);
        }
        CHECK_FALSE(accepts("[]"));
        CHECK_FALSE(accepts(challenge() + std::string(Challenge::max_size, ' ')));
    }

    TEST_CASE("a challenge names at most as many features as one dialog shows")
    {
        std::string names = "\"f0\"";
        for (std::size_t i = 1; i != token::max_features; ++i)
            names += ",\"f" + std::to_string(i) + '"';

        CHECK(accepts(challenge("\"infopatient.read\",\"login\"", names)));
        CHECK_FALSE(accepts(challenge("\"infopatient.read\",\"login\"", names + ",\"x\"")));
    }
}
