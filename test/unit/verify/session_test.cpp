// Session, feature and revoke tokens: what opens, renews, uses and ends a session.
#include "portal.hpp"

#include "cps/base/encoding.hpp"
#include "support/keys.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>

using namespace cps;
using namespace std::chrono_literals;
using test::card_key;
using test::Portal;
using test::TokenDraft;

namespace {

/// A portal with an open session of its session key.
struct WithSession : Portal {
    WithSession() : token{session(fresh_nonce()).sign(card_key())}
    {
        opened = code(token, session_expected());
    }
    std::string use(std::uint64_t seq = 1)
    {
        return code(feature(token, seq).sign(session_key), feature_expected());
    }
    std::string renewal(const std::function<void(token::CardClaims&)>& spoil = {})
    {
        auto claims = session_claims(fresh_nonce());
        claims.session->previous = token::token_hash(token);
        if (spoil)
            spoil(claims);
        return TokenDraft::good(claims, test::card_certificate().der()).sign(card_key());
    }
    std::string token;
    std::string opened;
};

auto set_claim(const char* name, boost::json::value value)
{
    return [=](TokenDraft& draft) { draft.claims[name] = value; };
}

} // namespace

TEST_SUITE("verify")
{
    TEST_CASE("a session token opens a session, whose limit is the least of both")
    {
        Portal portal;
        const auto token = portal.session(portal.fresh_nonce()).sign(card_key());
        const auto accepted = portal.verify(token, portal.session_expected());
        REQUIRE(accepted.has_value());
        REQUIRE(accepted->session.has_value());
        CHECK(accepted->session->limit == 100);
        CHECK(accepted->session->ends == portal.clock.time + 600s);
        const auto record = portal.store.find(accepted->session->kid).value();
        CHECK(record->cth == token::token_hash(token));
        CHECK(record->holder.id == accepted->holder.id);
        CHECK(portal.code(token, portal.session_expected()) == "nonce_unknown");
    }

    TEST_CASE("a session token's claims are refused one by one")
    {
        const struct {
            const char* what;
            std::function<void(TokenDraft&)> spoil;
            const char* code;
        } changes[] = {
            {"no cnf", [](auto& d) { d.claims.erase("cnf"); }, "claims_refused"},
            {"no lim", [](auto& d) { d.claims.erase("lim"); }, "claims_refused"},
            {"lim zero", set_claim("lim", 0), "claims_refused"},
            {"lim text", set_claim("lim", "200"), "claims_refused"},
            {"a private key",
             [](auto& d) { d.claims["cnf"].as_object()["jwk"].as_object()["d"] = "AAAA"; },
             "claims_refused"},
            {"another curve",
             [](auto& d) { d.claims["cnf"].as_object()["jwk"].as_object()["crv"] = "P-384"; },
             "claims_refused"},
            {"off the curve",
             [](auto& d) {
                 d.claims["cnf"].as_object()["jwk"].as_object()["x"] =
                     to_base64url(Bytes(32, 1));
             },
             "claims_refused"},
            {"a kid beside jwk", [](auto& d) { d.claims["cnf"].as_object()["kid"] = "x"; },
             "claims_refused"},
            {"prev that is no hash", set_claim("prev", "abc"), "claims_refused"},
            {"a prev of nothing",
             set_claim("prev", boost::json::string{to_base64url(Bytes(32, 7))}),
             "session_unknown"},
            {"a binding", set_claim("htm", "GET"), "claims_refused"},
            {"too long a life",
             [](auto& d) { d.claims["exp"] = d.claims["exp"].as_int64() + 1; },
             "lifetime_refused"},
            {"a feature that was not asked for",
             set_claim("feat", boost::json::array{"infopatient.read", "other"}),
             "nonce_mismatch"},
            {"another portal", set_claim("aud", "https://other.example"), "audience_mismatch"},
        };
        for (const auto& change : changes) {
            CAPTURE(change.what);
            Portal portal;
            auto draft = portal.session(portal.fresh_nonce());
            change.spoil(draft);
            CHECK(portal.code(draft.sign(card_key()), portal.session_expected()) ==
                  change.code);
        }
    }

    TEST_CASE("a feature token passes once")
    {
        WithSession portal;
        REQUIRE(portal.opened == "accepted");
        const auto token = portal.feature(portal.token, 1).sign(portal.session_key);
        const auto accepted = portal.verify(token, portal.feature_expected());
        REQUIRE(accepted.has_value());
        CHECK(accepted->session->left == 99);
        CHECK(accepted->holder.id == test::physician().common_names.front());
        CHECK(portal.code(token, portal.feature_expected()) == "replayed");
        CHECK(portal.use(1) == "sequence_refused");
        CHECK(portal.use(3) == "accepted");
        CHECK(portal.use(2) == "accepted");
        CHECK(portal.use(100) == "accepted");
        CHECK(portal.use(68) == "sequence_refused");
        CHECK(portal.use(69) == "accepted");
        CHECK(portal.use(101) == "limit_reached");
    }

    TEST_CASE("a feature token is refused for one thing at a time")
    {
        const struct {
            const char* what;
            std::function<void(TokenDraft&, verify::Expectation&)> spoil;
            const char* code;
        } changes[] = {
            {"another kid",
             [](auto& d, auto&) { d.header["kid"] = to_base64url(Bytes(32, 3)); },
             "session_unknown"},
            {"another portal session", [](auto&, auto& e) { e.session = "session-2"; },
             "session_unknown"},
            {"another cth",
             [](auto& d, auto&) { d.claims["cth"] = to_base64url(Bytes(32, 3)); },
             "cth_mismatch"},
            {"another feature", [](auto& d, auto&) { d.claims["feat"] = "other"; },
             "feature_refused"},
            {"a feature that the session has not",
             [](auto& d, auto& e) {
                 d.claims["feat"] = "other";
                 e.feature = token::Feature::parse("other");
             },
             "feature_refused"},
            {"a feature for the card alone", [](auto&, auto& e) { e.card_only = true; },
             "feature_refused"},
            {"another method", [](auto& d, auto&) { d.claims["htm"] = "GET"; },
             "request_mismatch"},
            {"another address",
             [](auto& d, auto&) { d.claims["htu"] = "https://portal.example/other"; },
             "request_mismatch"},
            {"another content",
             [](auto& d, auto&) { d.claims["rid"] = to_base64url(Bytes(32, 3)); },
             "request_mismatch"},
            {"seq zero", [](auto& d, auto&) { d.claims["seq"] = 0; }, "claims_refused"},
            {"a nonce that nobody wants",
             [](auto& d, auto&) { d.claims["nonce"] = to_base64url(Bytes(32, 3)); },
             "claims_refused"},
            {"no nonce where one is wanted", [](auto&, auto& e) { e.fresh_nonce = true; },
             "claims_refused"},
            {"a nonce that was never handed out",
             [](auto& d, auto& e) {
                 e.fresh_nonce = true;
                 d.claims["nonce"] = to_base64url(Bytes(32, 3));
             },
             "nonce_unknown"},
            {"features as a list",
             [](auto& d, auto&) { d.claims["feat"] = boost::json::array{"infopatient.read"}; },
             "claims_refused"},
            {"a subject", [](auto& d, auto&) { d.claims["sub"] = "899700000013"; },
             "claims_refused"},
            {"x5c", [](auto& d, auto&) { d.header["x5c"] = boost::json::array{"AAAA"}; },
             "header_refused"},
            {"alg none", [](auto& d, auto&) { d.header["alg"] = "none"; }, "alg_refused"},
            {"alg of the card", [](auto& d, auto&) { d.header["alg"] = "RS256"; },
             "alg_refused"},
            {"typ of a revoke token",
             [](auto& d, auto&) { d.header["typ"] = "cps-revoke+jwt"; }, "typ_refused"},
            {"too long a life",
             [](auto& d, auto&) { d.claims["exp"] = d.claims["iat"].as_int64() + 61; },
             "lifetime_refused"},
            {"another account", [](auto&, auto& e) { e.account_ids = {"somebody-else"}; },
             "account_mismatch"},
        };
        for (const auto& change : changes) {
            CAPTURE(change.what);
            WithSession portal;
            auto draft = portal.feature(portal.token);
            auto expected = portal.feature_expected();
            change.spoil(draft, expected);
            CHECK(portal.code(draft.sign(portal.session_key), expected) == change.code);
            CHECK(portal.use() == "accepted"); // a refusal marks nothing
        }
    }

    TEST_CASE("a feature token of another key is no signature")
    {
        WithSession portal;
        const auto draft = portal.feature(portal.token);
        CHECK(portal.code(draft.sign(test::make_ec("P-256")), portal.feature_expected()) ==
              "signature_invalid");
        CHECK(portal.use() == "accepted");
    }

    TEST_CASE("a fresh nonce serves one feature token")
    {
        WithSession portal;
        auto expected = portal.feature_expected();
        expected.fresh_nonce = true;
        auto draft = portal.feature(portal.token);
        draft.claims["nonce"] = portal.fresh_nonce().str();
        const auto token = draft.sign(portal.session_key);
        CHECK(portal.code(token, expected) == "accepted");
        CHECK(portal.code(token, expected) == "nonce_unknown");
    }

    TEST_CASE("a session token's end is the portal's own")
    {
        WithSession portal;
        portal.clock.time += 599s;
        CHECK(portal.use(1) == "accepted");
        portal.clock.time += 1s;
        CHECK(portal.use(2) == "session_ended");
    }

    TEST_CASE("a renewal puts another token in force, and the count runs on")
    {
        WithSession portal;
        CHECK(portal.use(7) == "accepted");
        portal.clock.time += 500s;
        const auto renewed = portal.renewal();
        const auto accepted = portal.verify(renewed, portal.session_expected());
        REQUIRE(accepted.has_value());
        CHECK(accepted->session->renewed);
        CHECK(portal.use(8) == "cth_mismatch"); // made under the token before
        portal.token = renewed;
        CHECK(portal.use(7) == "sequence_refused");
        CHECK(portal.use(8) == "accepted");
        portal.clock.time += 500s;
        CHECK(portal.use(9) == "accepted");
    }

    TEST_CASE("a renewal of the wrong token, key or person is refused")
    {
        WithSession portal;
        CHECK(portal.code(portal.session(portal.fresh_nonce()).sign(card_key()),
                          portal.session_expected()) == "replayed"); // the key has a session
        CHECK(portal.code(portal.renewal([](auto& claims) {
            claims.session->previous = to_base64url(Bytes(32, 1));
        }),
                          portal.session_expected()) == "cth_mismatch");
        CHECK(portal.code(portal.renewal([](auto& claims) {
            claims.session->key = test::make_ec("P-256").public_key();
        }),
                          portal.session_expected()) == "session_unknown");
        const auto other = token::Feature::parse("other").value();
        CHECK(portal.code(portal.renewal([&](auto& claims) {
            claims.nonce = portal.fresh_nonce({other, claims.features.front()});
            claims.features = {claims.features.front(), other};
        }),
                          portal.session_expected()) == "feature_refused");
        CHECK(portal.code(portal.renewal(), portal.session_expected()) == "accepted");
    }

    TEST_CASE("a session that nobody used for an hour, or of four hours, is over")
    {
        WithSession idle;
        for (int i = 0; i != 6; ++i) {
            idle.clock.time += 9min;
            const auto next = idle.renewal();
            REQUIRE(idle.code(next, idle.session_expected()) == "accepted");
            idle.token = next;
        }
        idle.clock.time += 6min;
        CHECK(idle.code(idle.renewal(), idle.session_expected()) == "session_ended");

        WithSession busy;
        std::uint64_t seq = 0;
        for (int i = 0; i != 26; ++i) {
            busy.clock.time += 9min;
            const auto next = busy.renewal();
            REQUIRE(busy.code(next, busy.session_expected()) == "accepted");
            busy.token = next;
            REQUIRE(busy.use(++seq) == "accepted");
        }
        busy.clock.time += 6min; // 240 minutes
        CHECK(busy.code(busy.renewal(), busy.session_expected()) == "session_ended");
        CHECK(busy.use(++seq) == "session_ended");
    }

    TEST_CASE("a revoke token ends its session and can do nothing else")
    {
        WithSession portal;
        const auto revoke = portal.revoke(portal.token).sign(portal.session_key);
        CHECK(portal.code(revoke, portal.feature_expected()) == "typ_refused");
        CHECK(portal.code(portal.revoke(portal.token).sign(test::make_ec("P-256")),
                          portal.revoke_expected()) == "signature_invalid");
        portal.clock.time += 2h; // it is kept until needed
        CHECK(portal.code(revoke, portal.revoke_expected()) == "accepted");
        CHECK(portal.code(revoke, portal.revoke_expected()) == "session_unknown");
        CHECK(portal.use() == "session_unknown");
    }

    TEST_CASE("a revoke token needs no portal session, and another's is of no use to it")
    {
        WithSession portal;
        const auto revoke = portal.revoke(portal.token).sign(portal.session_key);
        auto expected = portal.revoke_expected();
        expected.session = "session-2";
        CHECK(portal.code(revoke, expected) == "session_unknown");
        auto feature = portal.feature_expected();
        feature.session.clear();
        CHECK(portal.code(portal.feature(portal.token).sign(portal.session_key), feature) ==
              "session_unknown");
        expected.session.clear();
        CHECK(portal.code(revoke, expected) == "accepted");
        CHECK(portal.use() == "session_unknown");
    }

    TEST_CASE("no session is good for more than 10,000 feature tokens")
    {
        for (const unsigned portals_own : {0u, 20'000u}) {
            CAPTURE(portals_own);
            Portal portal;
            auto draft = portal.session(portal.fresh_nonce());
            draft.claims["lim"] = 20'000;
            auto expected = portal.session_expected();
            expected.limit = portals_own;
            const auto accepted = portal.verify(draft.sign(card_key()), expected);
            REQUIRE(accepted.has_value());
            CHECK(accepted->session->limit == 10'000);
        }
    }

    TEST_CASE("an account's quota stops the scraper, and comes back")
    {
        WithSession portal;
        auto expected = portal.feature_expected();
        expected.account = "claire";
        expected.quota = {.per_hour = 3, .per_day = 5};
        std::uint64_t seq = 0;
        const auto ask = [&] {
            return portal.code(portal.feature(portal.token, ++seq).sign(portal.session_key),
                               expected);
        };
        for (int i = 0; i != 3; ++i)
            CHECK(ask() == "accepted");
        CHECK(ask() == "quota_exceeded");
        expected.account = "paul";
        CHECK(ask() == "accepted");
        expected.account = "claire";
        for (int i = 0; i != 6; ++i) {
            portal.clock.time += 9min;
            const auto next = portal.renewal();
            REQUIRE(portal.code(next, portal.session_expected()) == "accepted");
            portal.token = next;
        }
        CHECK(ask() == "accepted");
        CHECK(ask() == "accepted");
        CHECK(ask() == "quota_exceeded"); // the day's
    }

    TEST_CASE("of one token sent by many at once, one passes")
    {
        WithSession portal;
        const auto token = portal.feature(portal.token).sign(portal.session_key);
        std::atomic<int> accepted{0};
        std::vector<std::jthread> threads;
        for (int i = 0; i != 8; ++i)
            threads.emplace_back([&] {
                if (portal.code(token, portal.feature_expected()) == "accepted")
                    ++accepted;
            });
        threads.clear();
        CHECK(accepted == 1);
    }

    TEST_CASE("a portal session has a bounded number of card sessions")
    {
        Portal portal;
        for (std::size_t i = 0; i != verify::max_live_sessions + 1; ++i) {
            portal.session_key = test::make_ec("P-256");
            CHECK(portal.code(portal.session(portal.fresh_nonce()).sign(card_key()),
                              portal.session_expected()) ==
                  (i == verify::max_live_sessions ? "limit_reached" : "accepted"));
        }
    }
}
