#include "cps/token/session_key_token.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/json.hpp"
#include "cps/token/jwk.hpp"

#include <doctest/doctest.h>

using namespace cps;

namespace {

const token::Origin& origin()
{
    static const auto parsed = token::Origin::parse("https://portal.example").value();
    return parsed;
}

/// The point of RFC 7515, A.3.
crypto::PublicKey known_key()
{
    return crypto::PublicKey::from_p256(
               from_base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").value(),
               from_base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").value())
        .value();
}

token::FeatureClaims feature_claims(std::string_view htu = "https://portal.example/patient")
{
    return {epoch_seconds(1790000000),
            epoch_seconds(1790000030),
            "AAAAAAAAAAAAAAAAAAAAAA",
            7,
            token::Feature::parse("infopatient.read").value(),
            token::RequestBinding::parse(origin(), "POST", htu, std::string(43, 'A')).value()};
}

token::CardClaims session_claims()
{
    return {.subject = "899700367917",
            .audience = origin(),
            .nonce = token::Nonce::from_bytes(Bytes(32, 0)),
            .jti = "AAAAAAAAAAAAAAAAAAAAAA",
            .issued_at = epoch_seconds(1790000000),
            .expires_at = epoch_seconds(1790000600),
            .auth_time = epoch_seconds(1789999999),
            .features = {token::Feature::parse("a.read").value(),
                         token::Feature::parse("b.read").value()},
            .session = token::SessionClaims{known_key(), 200, {}}};
}

std::string part(std::string_view input, bool second)
{
    const auto dot = input.find('.');
    const auto text = second ? input.substr(dot + 1) : input.substr(0, dot);
    return std::string{text_of(from_base64url(text).value())};
}

std::string session_input(const token::CardClaims& claims)
{
    return token::signing_input(claims, crypto::SignatureAlgorithm::rs256, Bytes{1});
}

} // namespace

TEST_SUITE("token")
{
    TEST_CASE("a thumbprint is that of RFC 7638 over the required members in their order")
    {
        CHECK(boost::json::object{token::to_jwk(known_key())}.size() == 4);
        // Reckoned with Python's hashlib.
        CHECK(token::thumbprint(known_key()) == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    }

    TEST_CASE("a session token names the session key, the limit and what it renews")
    {
        auto claims = session_claims();
        const auto first = session_input(claims);
        claims.session->previous = token::token_hash("before");
        const auto renewed = session_input(claims);

        CHECK(part(first, false).find(R"("typ":"cps-session+jwt")") != std::string::npos);
        CHECK(part(first, true)
                  .ends_with(
                      R"("feat":["a.read","b.read"],"cnf":{"jwk":{"crv":"P-256","kty":"EC",)"
                      R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                      R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}},"lim":200})"));
        CHECK(part(renewed, true)
                  .ends_with(R"("lim":200,"prev":")" +
                             to_base64url(crypto::sha256(octets("before"))) + "\"}"));
    }

    TEST_CASE("a session token beyond its bounds is refused")
    {
        const auto refuses = [](auto spoil) {
            auto claims = session_claims();
            spoil(claims);
            CHECK_THROWS_AS(session_input(claims), Error);
        };

        refuses([](auto& c) { c.expires_at += std::chrono::seconds{1}; });
        refuses([](auto& c) { c.expires_at = c.issued_at; });
        refuses([](auto& c) { c.features.clear(); });
        refuses([](auto& c) { c.session->limit = 0; });
        refuses([](auto& c) { c.request = feature_claims().request; });
    }

    TEST_CASE("a feature token has exactly the profile's header and claims")
    {
        const token::SessionKeyTokens tokens{origin(), known_key(), "the.session.token"};
        auto claims = feature_claims();

        const auto plain = tokens.feature_input(claims);
        claims.nonce = token::Nonce::from_bytes(Bytes(32, 0));
        const auto with_nonce = tokens.feature_input(claims);

        CHECK(part(plain, false) == R"({"alg":"ES256","typ":"cps-feature+jwt","kid":")" +
                                        token::thumbprint(known_key()) + "\"}");
        const auto expected =
            R"({"aud":"https://portal.example","cth":")" +
            to_base64url(crypto::sha256(octets("the.session.token"))) +
            R"(","iat":1790000000,"exp":1790000030,"jti":"AAAAAAAAAAAAAAAAAAAAAA","seq":7,)"
            R"("feat":"infopatient.read","htm":"POST","htu":"https://portal.example/patient",)"
            R"("rid":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")";
        CHECK(part(plain, true) == expected + "}");
        CHECK(part(with_nonce, true) ==
              expected + R"(,"nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})");
    }

    TEST_CASE("a path with quotes and backslashes cannot add a claim")
    {
        const token::SessionKeyTokens tokens{origin(), known_key(), "t"};
        const std::string htu = R"(https://portal.example/a","seq":9,"x":"\)";

        const auto payload = part(tokens.feature_input(feature_claims(htu)), true);

        const auto parsed = token::parse_json(payload, 4096).value();
        CHECK(token::string_member(parsed.as_object(), "htu") == htu);
        CHECK(token::integer_member(parsed.as_object(), "seq") == 7);
        CHECK(parsed.as_object().size() == 10);
    }

    TEST_CASE("a feature token lives 1 to 60 seconds and is counted from 1")
    {
        const token::SessionKeyTokens tokens{origin(), known_key(), "t"};
        const auto lives = [&](long long seconds, std::uint64_t seq = 1) {
            auto claims = feature_claims();
            claims.expires_at = claims.issued_at + std::chrono::seconds{seconds};
            claims.seq = seq;
            return tokens.feature_input(claims);
        };

        CHECK_NOTHROW((void)lives(1));
        CHECK_NOTHROW((void)lives(60));
        CHECK_THROWS_AS((void)lives(61), Error);
        CHECK_THROWS_AS((void)lives(0), Error);
        CHECK_THROWS_AS((void)lives(30, 0), Error);
    }

    TEST_CASE("a revoke token says which session it ends and no more")
    {
        const token::SessionKeyTokens tokens{origin(), known_key(), "t"};

        const auto input = tokens.revoke_input("AAAAAAAAAAAAAAAAAAAAAA");

        CHECK(part(input, false).find(R"("typ":"cps-revoke+jwt")") != std::string::npos);
        CHECK(part(input, true) == R"({"aud":"https://portal.example","cth":")" +
                                       tokens.token_hash() +
                                       R"(","jti":"AAAAAAAAAAAAAAAAAAAAAA"})");
    }
}
