#include "cps/token/card_token.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <doctest/doctest.h>

using namespace cps;
using crypto::SignatureAlgorithm;
using token::Kind;

namespace {

token::CardClaims login_claims()
{
    return {.subject = "899700367917",
            .audience = token::Origin::parse("https://portal.example").value(),
            .nonce = token::Nonce::from_bytes(Bytes(32, 0)),
            .jti = "AAAAAAAAAAAAAAAAAAAAAA",
            .issued_at = epoch_seconds(1790000000),
            .expires_at = epoch_seconds(1790000060),
            .auth_time = epoch_seconds(1789999999),
            .features = {token::Feature::login()},
            .request = std::nullopt};
}

token::CardClaims request_claims()
{
    auto claims = login_claims();
    claims.features = {token::Feature::parse("infopatient.read").value()};
    claims.request = token::RequestBinding::parse(
        claims.audience, "POST", "https://portal.example/patient", std::string(43, 'A'));
    return claims;
}

std::string decoded(std::string_view base64url)
{
    return std::string{text_of(from_base64url(base64url).value())};
}

} // namespace

TEST_SUITE("token")
{
    TEST_CASE("the signing input of a login is the profile's header and claims in one order")
    {
        const Bytes certificate{0x30, 0x03, 0xFB, 0xFF, 0xFE};

        const auto input =
            token::signing_input(login_claims(), SignatureAlgorithm::rs256, certificate);

        const auto dot = input.find('.');
        CHECK(input.starts_with("eyJ"));
        CHECK(decoded(input.substr(0, dot)) ==
              R"({"alg":"RS256","typ":"cps-login+jwt","x5c":["MAP7//4="]})");
        CHECK(decoded(input.substr(dot + 1)) ==
              R"({"iss":"899700367917","sub":"899700367917","aud":"https://portal.example",)"
              R"("nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",)"
              R"("jti":"AAAAAAAAAAAAAAAAAAAAAA","iat":1790000000,"exp":1790000060,)"
              R"("auth_time":1789999999,"amr":["sc","pin","hwk","mfa"],"feat":["login"]})");
    }

    TEST_CASE("the signing input of a request ends with what it is bound to")
    {
        const auto input =
            token::signing_input(request_claims(), SignatureAlgorithm::ps256, Bytes{0x30});

        const auto dot = input.find('.');
        CHECK(decoded(input.substr(0, dot)) ==
              R"({"alg":"PS256","typ":"cps-request+jwt","x5c":["MA=="]})");
        CHECK(decoded(input.substr(dot + 1))
                  .ends_with(R"("feat":["infopatient.read"],"htm":"POST",)"
                             R"("htu":"https://portal.example/patient",)"
                             R"("rid":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})"));
    }

    TEST_CASE("nothing is prepared for a card that the profile forbids")
    {
        auto no_feature = request_claims();
        no_feature.features.clear();
        auto two_features = request_claims();
        two_features.features.push_back(token::Feature::login());
        auto wider_login = login_claims();
        wider_login.features.push_back(token::Feature::parse("x").value());
        auto long_life = login_claims();
        long_life.expires_at += std::chrono::seconds{1};
        auto no_life = login_claims();
        no_life.expires_at = no_life.issued_at;

        for (const auto& claims : {no_feature, two_features, wider_login, long_life, no_life})
            CHECK_THROWS_AS(
                (void)token::signing_input(claims, SignatureAlgorithm::rs256, Bytes{0x30}),
                Error);
        CHECK_THROWS_AS(
            (void)token::signing_input(login_claims(), SignatureAlgorithm::es256, Bytes{0x30}),
            Error);
    }

    TEST_CASE("the compact form joins input and signature")
    {
        CHECK(token::compact("eyJ9.e30", Bytes{0xFF, 0xFF}) == "eyJ9.e30.__8");
    }

    TEST_CASE("each kind has its name and its typ")
    {
        for (const auto kind :
             {Kind::login, Kind::session, Kind::request, Kind::feature, Kind::revoke}) {
            CHECK(token::kind_named(token::name_of(kind)) == kind);
            CHECK(token::typ_of(kind) == "cps-" + std::string{token::name_of(kind)} + "+jwt");
        }
        CHECK_FALSE(token::kind_named("Login"));
    }
}
