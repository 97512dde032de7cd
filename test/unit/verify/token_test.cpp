// The first step: what a token shows without any look at records or certificates.
#include "portal.hpp"

#include "cps/base/encoding.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <functional>

using namespace cps;
using boost::json::array;
using test::Portal;
using test::TokenDraft;

namespace {

struct Change {
    const char* what;
    std::function<void(TokenDraft&)> apply;
    const char* code;
};

auto set_header(const char* name, boost::json::value value)
{
    return [=](TokenDraft& draft) { draft.header[name] = value; };
}
auto set_claim(const char* name, boost::json::value value)
{
    return [=](TokenDraft& draft) { draft.claims[name] = value; };
}
/// Adds to a number of the claims.
auto move_claim(const char* name, std::int64_t seconds)
{
    return [=](TokenDraft& draft) {
        draft.claims[name] = draft.claims[name].as_int64() + seconds;
    };
}
/// Moves the whole life of the token.
auto move_life(std::int64_t seconds)
{
    return [=](TokenDraft& draft) {
        for (const auto* name : {"iat", "exp", "auth_time"})
            move_claim(name, seconds)(draft);
    };
}

const std::string certificate_base64 = to_base64(test::card_certificate().der());

} // namespace

TEST_SUITE("verify")
{
    TEST_CASE("a good login is accepted and tells the holder from the certificate")
    {
        Portal portal;

        const auto accepted =
            portal.verify(portal.login().sign(test::card_key()), portal.login_expected());

        REQUIRE(accepted.has_value());
        CHECK(accepted->holder.id == test::physician().common_names.front());
        CHECK(accepted->holder.surname == test::physician().surname);
        CHECK(accepted->claims == portal.login().claims);
        CHECK(accepted->certificate_sha256 == test::card_certificate().sha256());
        CHECK(accepted->certificate_not_after == test::card_certificate().not_after());
    }

    TEST_CASE("a good request is accepted, in either of the card's algorithms")
    {
        Portal portal;
        const auto pss =
            TokenDraft::good(portal.request_claims(), test::card_certificate().der(),
                             crypto::SignatureAlgorithm::ps256);

        CHECK(portal.request_code(portal.request()) == "accepted");
        portal.hand_out();
        CHECK(portal.request_code(pss) == "accepted");
    }

    TEST_CASE("a token whose header is not exactly its kind's is refused")
    {
        const auto* chain_url = "https://portal.example/x";
        const std::vector<Change> changes{
            {"jwk", set_header("jwk", boost::json::object{{"kty", "RSA"}}), "header_refused"},
            {"jku", set_header("jku", chain_url), "header_refused"},
            {"x5u", set_header("x5u", chain_url), "header_refused"},
            {"crit", set_header("crit", array{"b64"}), "header_refused"},
            {"kid", set_header("kid", "1"), "header_refused"},
            {"b64", set_header("b64", true), "header_refused"},
            {"cty", set_header("cty", "JWT"), "header_refused"},
            {"no alg", [](auto& d) { d.header.erase("alg"); }, "header_refused"},
            {"no typ", [](auto& d) { d.header.erase("typ"); }, "header_refused"},
            {"no x5c", [](auto& d) { d.header.erase("x5c"); }, "header_refused"},
            {"alg none", set_header("alg", "none"), "alg_refused"},
            {"alg ES256", set_header("alg", "ES256"), "alg_refused"},
            {"alg HS256", set_header("alg", "HS256"), "alg_refused"},
            {"alg RS512", set_header("alg", "RS512"), "alg_refused"},
            {"alg rs256", set_header("alg", "rs256"), "alg_refused"},
            {"alg list", set_header("alg", array{"RS256"}), "alg_refused"},
            {"alg PS256", set_header("alg", "PS256"), "signature_invalid"},
            {"typ JWT", set_header("typ", "JWT"), "typ_refused"},
            {"typ in capitals", set_header("typ", "CPS-LOGIN+JWT"), "typ_refused"},
            {"typ with prefix", set_header("typ", "application/cps-login+jwt"), "typ_refused"},
            {"typ number", set_header("typ", 1), "typ_refused"},
            {"typ session", set_header("typ", "cps-session+jwt"), "typ_refused"},
            {"typ feature", set_header("typ", "cps-feature+jwt"), "typ_refused"},
            {"typ revoke", set_header("typ", "cps-revoke+jwt"), "typ_refused"},
            {"typ request", set_header("typ", "cps-request+jwt"), "typ_refused"},
            {"x5c text", set_header("x5c", boost::json::value(certificate_base64)),
             "header_refused"},
            {"x5c empty", set_header("x5c", array{}), "header_refused"},
            {"x5c of two",
             set_header("x5c", array{boost::json::value(certificate_base64),
                                     boost::json::value(certificate_base64)}),
             "header_refused"},
            {"x5c number", set_header("x5c", array{1}), "header_refused"},
            {"x5c base64url",
             set_header("x5c", array{boost::json::value(
                                   to_base64url(test::card_certificate().der()))}),
             "header_refused"},
            {"x5c with line feed",
             set_header("x5c", array{boost::json::value(certificate_base64 + "\n")}),
             "header_refused"},
        };
        for (const auto& change : changes) {
            CAPTURE(change.what);
            Portal portal;
            auto draft = portal.login();
            change.apply(draft);
            CHECK(portal.login_code(draft) == change.code);
        }
    }

    TEST_CASE("a token whose claims are not exactly its kind's is refused")
    {
        const std::vector<Change> changes{
            {"one more", set_claim("acr", "eidas3"), "claims_refused"},
            {"cnf", set_claim("cnf", boost::json::object{}), "claims_refused"},
            {"htm in a login", set_claim("htm", "GET"), "claims_refused"},
            {"iss differs", set_claim("iss", "899700000000"), "claims_refused"},
            {"sub number", set_claim("sub", 899700367917), "claims_refused"},
            {"both empty",
             [](auto& d) {
                 d.claims["iss"] = "";
                 d.claims["sub"] = "";
             },
             "claims_refused"},
            {"aud list", set_claim("aud", array{"https://portal.example"}), "claims_refused"},
            {"nonce short", set_claim("nonce", "AAAA"), "claims_refused"},
            {"nonce padded", set_claim("nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
             "claims_refused"},
            {"jti short", set_claim("jti", "AAAA"), "claims_refused"},
            {"jti number", set_claim("jti", 1), "claims_refused"},
            {"iat text", set_claim("iat", "1790086400"), "claims_refused"},
            {"iat fraction", set_claim("iat", 1790086400.0), "claims_refused"},
            {"iat negative", set_claim("iat", -1), "claims_refused"},
            {"exp null", set_claim("exp", nullptr), "claims_refused"},
            {"exp vast", set_claim("exp", std::uint64_t{18446744073709551615U}),
             "claims_refused"},
            {"exp above 2^53", set_claim("exp", std::int64_t{9007199254740992}),
             "claims_refused"},
            {"auth_time text", set_claim("auth_time", "now"), "claims_refused"},
            {"auth_time to come", move_claim("auth_time", 6), "claims_refused"},
            {"amr without pin", set_claim("amr", array{"sc", "hwk", "mfa"}), "claims_refused"},
            {"amr text", set_claim("amr", "sc pin hwk mfa"), "claims_refused"},
            {"amr numbers", set_claim("amr", array{1, 2, 3, 4}), "claims_refused"},
            {"feat text", set_claim("feat", "login"), "claims_refused"},
            {"feat empty", set_claim("feat", array{}), "claims_refused"},
            {"feat twice", set_claim("feat", array{"login", "login"}), "claims_refused"},
            {"feat malformed", set_claim("feat", array{"Login"}), "claims_refused"},
            {"feat number", set_claim("feat", array{1}), "claims_refused"},
        };
        for (const auto& change : changes) {
            CAPTURE(change.what);
            Portal portal;
            auto draft = portal.login();
            change.apply(draft);
            CHECK(portal.login_code(draft) == change.code);
        }
    }

    TEST_CASE("a token without one of its claims is refused")
    {
        Portal portal;
        const auto login = portal.login();
        const auto request = portal.request();

        for (const auto& claim : login.claims) {
            auto draft = login;
            draft.claims.erase(claim.key());
            CHECK(portal.login_code(draft) == "claims_refused");
        }
        for (const auto& claim : request.claims) {
            auto draft = request;
            draft.claims.erase(claim.key());
            CHECK(portal.request_code(draft) == "claims_refused");
        }
        CHECK(portal.request_code(request) == "accepted");
    }

    TEST_CASE("a request token names one feature and binds texts")
    {
        const std::vector<Change> changes{
            {"two features", set_claim("feat", array{"infopatient.read", "login"}),
             "claims_refused"},
            {"htm number", set_claim("htm", 1), "claims_refused"},
            {"htu null", set_claim("htu", nullptr), "claims_refused"},
            {"rid list", set_claim("rid", array{}), "claims_refused"},
        };
        for (const auto& change : changes) {
            CAPTURE(change.what);
            Portal portal;
            auto draft = portal.request();
            change.apply(draft);
            CHECK(portal.request_code(draft) == change.code);
        }
    }

    TEST_CASE("a token for another portal is refused, also when only its spelling differs")
    {
        for (const auto* audience : {"https://portal.example/", "https://portal.example:443",
                                     "https://other.example", "http://portal.example",
                                     "https://Portal.example", "https://portal.example.", ""}) {
            CAPTURE(audience);
            Portal portal;
            auto draft = portal.login();
            draft.claims["aud"] = audience;
            CHECK(portal.login_code(draft) == "audience_mismatch");
        }
    }

    TEST_CASE("a token counts for its lifetime and five seconds of clock difference")
    {
        const std::vector<Change> changes{
            {"ended 4 s ago", move_claim("exp", -64), "lifetime_refused"},
            {"ended 5 s ago", move_claim("exp", -65), "token_expired"},
            {"begins in 5 s", move_life(5), "accepted"},
            {"begins in 6 s", move_life(6), "token_not_yet_valid"},
            {"lives no time", move_claim("exp", -60), "lifetime_refused"},
            {"lives 61 s", move_claim("exp", 1), "lifetime_refused"},
            {"lives 1 s", move_claim("exp", -59), "accepted"},
            {"lives for ever", set_claim("exp", std::int64_t{9007199254740991}),
             "lifetime_refused"},
            {"PIN 5 s after", move_claim("auth_time", 5), "accepted"},
            {"PIN an hour before", move_claim("auth_time", -3600), "accepted"},
        };
        for (const auto& change : changes) {
            CAPTURE(change.what);
            Portal portal;
            auto draft = portal.login();
            change.apply(draft);
            CHECK(portal.login_code(draft) == change.code);
        }

        Portal portal;
        const auto token = portal.login().sign(test::card_key());
        portal.clock.time += std::chrono::seconds{65};
        CHECK(portal.code(token, portal.login_expected()) == "token_expired");
        portal.clock.time -= std::chrono::seconds{1};
        CHECK(portal.code(token, portal.login_expected()) == "accepted");
    }

    TEST_CASE("a token of one kind is refused where another kind is expected")
    {
        Portal portal;
        const auto login = portal.login().sign(test::card_key());
        const auto request = portal.request().sign(test::card_key());

        CHECK(portal.code(login, portal.request_expected()) == "typ_refused");
        CHECK(portal.code(request, portal.login_expected()) == "typ_refused");
        for (const auto kind :
             {token::Kind::session, token::Kind::feature, token::Kind::revoke}) {
            auto expected = portal.request_expected();
            expected.kind = kind;
            CHECK(portal.code(login, expected) == "typ_refused");
            CHECK(portal.code(request, expected) == "typ_refused");
        }
    }

    TEST_CASE("a request cannot be verified against nothing")
    {
        Portal portal;
        const auto token = portal.request().sign(test::card_key());
        auto no_feature = portal.request_expected();
        no_feature.feature.reset();
        auto no_request = portal.request_expected();
        no_request.request.reset();

        CHECK_THROWS_AS((void)portal.verify(token, no_feature), Error);
        CHECK_THROWS_AS((void)portal.verify(token, no_request), Error);
    }

    TEST_CASE("a token that is not three strict parts of strict JSON objects is malformed")
    {
        Portal portal;
        const auto draft = portal.login();
        const auto good = draft.sign(test::card_key());
        const auto header = boost::json::serialize(draft.header);
        const auto payload = boost::json::serialize(draft.claims);
        const auto dot = good.find('.');
        const auto signed_as = [](std::string_view head, std::string_view body) {
            return test::sign_texts(head, body, test::card_key());
        };
        const auto inserted = [](std::string text, std::string_view member) {
            return text.insert(1, member);
        };

        for (const auto& token :
             {std::string{},
              std::string{"."},
              std::string{".."},
              std::string{"a.b"},
              good + ".",
              good + ".AA",
              "." + good,
              good + "=",
              good + "\n",
              " " + good,
              good.substr(0, good.rfind('.')),
              good.substr(0, good.rfind('.') + 1),
              std::string{good}.insert(dot, "="),
              std::string{good}.replace(dot, 1, ""),
              std::string{good}.insert(dot, std::string_view{"\0", 1}),
              signed_as("[]", payload),
              signed_as(header, "[]"),
              signed_as("", payload),
              signed_as(header, ""),
              signed_as(header + " {}", payload),
              signed_as(header, payload + "x"),
              signed_as("\xEF\xBB\xBF" + header, payload),
              signed_as(inserted(header, R"("alg":"RS256",)"), payload),
              signed_as(inserted(header, R"("\u0061lg":"none",)"), payload),
              signed_as(header, inserted(payload, R"("feat":["login"],)")),
              signed_as(header, inserted(payload, R"("aud":"https://other.example",)")),
              signed_as(header, inserted(payload, R"("x":[[[[[[[[]]]]]]]],)"))}) {
            CAPTURE(token.substr(0, 40));
            CHECK(portal.code(token, portal.login_expected()) == "malformed");
        }
        CHECK(portal.code(good, portal.login_expected()) == "accepted");
    }

    TEST_CASE("a token longer than its kind may be is refused unread")
    {
        Portal portal;

        CHECK(portal.code(std::string(verify::max_token_size + 1, 'A'),
                          portal.login_expected()) == "too_long");
        CHECK(portal.code(std::string(verify::max_token_size, 'A'), portal.login_expected()) ==
              "malformed");
        CHECK(portal.code(std::string(verify::max_header_token_size + 1, 'A'),
                          portal.request_expected()) == "too_long");
        CHECK(portal.code(std::string(verify::max_header_token_size, 'A'),
                          portal.request_expected()) == "malformed");
    }

    TEST_CASE("white space in JSON is not a fault, whoever signed it")
    {
        Portal portal;
        const auto draft = portal.login();

        const auto token =
            test::sign_texts(boost::json::serialize(draft.header) + "\n",
                             " " + boost::json::serialize(draft.claims), test::card_key());

        CHECK(portal.code(token, portal.login_expected()) == "accepted");
    }
}
