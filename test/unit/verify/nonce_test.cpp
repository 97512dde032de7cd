// The second step: the portal's own record of the nonce.
#include "portal.hpp"

#include <doctest/doctest.h>

using namespace cps;
using std::chrono::seconds;
using test::Portal;

namespace {

/// As a Redis that does not answer.
class LostStore final : public verify::Store {
public:
    verify::Verdict<void> remember(const token::Nonce&, verify::NonceRecord) override
    {
        return verify::Refusal::store_unavailable;
    }
    verify::Verdict<verify::NonceRecord> burn(const token::Nonce&) override
    {
        return verify::Refusal::store_unavailable;
    }
    verify::Verdict<void> open(verify::SessionRecord) override
    {
        return verify::Refusal::store_unavailable;
    }
    verify::Verdict<std::shared_ptr<const verify::SessionRecord>>
    find(std::string_view) override
    {
        return verify::Refusal::store_unavailable;
    }
    verify::Verdict<void> renew(const verify::SessionRecord&, std::string_view) override
    {
        return verify::Refusal::store_unavailable;
    }
    verify::Verdict<unsigned> use(const verify::Use&) override
    {
        return verify::Refusal::store_unavailable;
    }
    verify::Verdict<void> end(std::string_view) override
    {
        return verify::Refusal::store_unavailable;
    }
    verify::Verdict<void> charge(std::string_view, const verify::Quota&) override
    {
        return verify::Refusal::store_unavailable;
    }
};

} // namespace

TEST_SUITE("verify")
{
    TEST_CASE("a token is good once")
    {
        Portal portal;

        CHECK(portal.login_code(portal.login()) == "accepted");
        CHECK(portal.login_code(portal.login()) == "nonce_unknown");
    }

    TEST_CASE("a nonce that was never handed out is refused")
    {
        Portal portal;
        auto claims = portal.login_claims();
        claims.nonce = token::Nonce::from_bytes(Bytes(32, 9));

        CHECK(portal.login_code(test::TokenDraft::good(
                  claims, test::card_certificate().der())) == "nonce_unknown");
    }

    TEST_CASE("a nonce stays burnt when a later step fails")
    {
        auto others_signature = [](Portal& portal) {
            auto draft = portal.login();
            const auto good = draft.sign(test::card_key());
            draft.claims["jti"] = "BBBBBBBBBBBBBBBBBBBBBA";
            const auto other = draft.sign(test::card_key());
            return good.substr(0, good.rfind('.')) + other.substr(other.rfind('.'));
        };
        auto expired_card = test::physician();
        expired_card.not_after = expired_card.not_before + std::chrono::hours{1};

        Portal signature;
        CHECK(signature.code(others_signature(signature), signature.login_expected()) ==
              "signature_invalid");
        CHECK(signature.login_code(signature.login()) == "nonce_unknown");

        Portal certificate;
        CHECK(certificate.login_code(certificate.login_with(test::issue(expired_card))) ==
              "cert_expired");
        CHECK(certificate.login_code(certificate.login()) == "nonce_unknown");

        Portal session;
        auto other_session = session.login_expected();
        other_session.session = "session-2";
        CHECK(session.code(session.login().sign(test::card_key()), other_session) ==
              "nonce_mismatch");
        CHECK(session.login_code(session.login()) == "nonce_unknown");

        Portal account;
        auto other_account = account.login_expected();
        other_account.account_ids = {"899700000000"};
        CHECK(account.code(account.login().sign(test::card_key()), other_account) ==
              "account_mismatch");
        CHECK(account.login_code(account.login()) == "nonce_unknown");

        Portal request;
        auto other_request = request.request_expected();
        other_request.request->htm = "GET";
        CHECK(request.code(request.request().sign(test::card_key()), other_request) ==
              "request_mismatch");
        CHECK(request.request_code(request.request()) == "nonce_unknown");
    }

    TEST_CASE("a token refused before the records are asked burns nothing")
    {
        Portal portal;
        auto draft = portal.login();
        draft.claims["aud"] = "https://other.example";

        CHECK(portal.login_code(draft) == "audience_mismatch");
        CHECK(portal.login_code(portal.login()) == "accepted");
    }

    TEST_CASE("the nonce is burnt before the certificate is looked at")
    {
        Portal portal;
        auto draft = portal.login();
        draft.header["x5c"] = boost::json::array{"AAAA"};

        CHECK(portal.login_code(draft) == "cert_untrusted");
        CHECK(portal.login_code(draft) == "nonce_unknown");
    }

    TEST_CASE("a nonce of another session or feature is refused")
    {
        Portal other_session;
        other_session.hand_out("session-2");
        CHECK(other_session.login_code(other_session.login()) == "nonce_mismatch");

        Portal other_feature; // a login made with the nonce for a look-up
        auto claims = other_feature.login_claims();
        claims.nonce = other_feature.request_nonce;
        CHECK(other_feature.login_code(test::TokenDraft::good(
                  claims, test::card_certificate().der())) == "nonce_mismatch");

        Portal login_nonce; // and the reverse
        claims = login_nonce.request_claims();
        claims.nonce = login_nonce.login_nonce;
        CHECK(login_nonce.request_code(test::TokenDraft::good(
                  claims, test::card_certificate().der())) == "nonce_mismatch");
    }

    TEST_CASE("a nonce counts for 120 seconds")
    {
        Portal portal;
        portal.clock.time += seconds{120};
        CHECK(portal.login_code(portal.login()) == "accepted");

        Portal late;
        late.clock.time += seconds{121};
        CHECK(late.login_code(late.login()) == "nonce_stale");
    }

    TEST_CASE("a token from before its nonce is refused")
    {
        for (const auto& [before, code] : {std::pair{5, "accepted"}, {6, "nonce_mismatch"}}) {
            Portal portal;
            auto claims = portal.login_claims();
            claims.issued_at -= seconds{before};
            claims.expires_at -= seconds{before};
            claims.auth_time -= seconds{before};
            CHECK(portal.login_code(
                      test::TokenDraft::good(claims, test::card_certificate().der())) == code);
        }
    }

    TEST_CASE("without records nothing is accepted")
    {
        Portal portal;
        LostStore lost;
        const verify::Verifier verifier{portal.policy,
                                        x509::TrustStore::from_pem(test::test_trust()).value(),
                                        lost, portal.clock};

        const auto verdict =
            verifier.verify(portal.login().sign(test::card_key()), portal.login_expected());

        REQUIRE(verdict.has_error());
        CHECK(verdict.error() == verify::Refusal::store_unavailable);
    }
}
