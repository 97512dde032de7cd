// The third step: whose certificate, and is the signature its key's.
#include "portal.hpp"
#include "support/keys.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace cps;
using test::Portal;

namespace {

struct Change {
    const char* what;
    std::function<void(pki::LeafSpec&)> apply;
    const char* code;
};

} // namespace

TEST_SUITE("verify")
{
    TEST_CASE("a certificate that is not a card's authentication certificate is refused")
    {
        using enum pki::KeyUsage;
        const std::vector<Change> changes{
            {"self-signed", [](auto& leaf) { leaf.self_signed = true; }, "cert_untrusted"},
            {"ended",
             [](auto& leaf) { leaf.not_after = leaf.not_before + std::chrono::hours{1}; },
             "cert_expired"},
            {"not begun",
             [](auto& leaf) { leaf.not_before = test::issue_time + std::chrono::days{2}; },
             "cert_not_yet_valid"},
            {"RSA of 1024 bits", [](auto& leaf) { leaf.key_bits = 1024; }, "cert_weak"},
            {"SHA-1", [](auto& leaf) { leaf.digest = pki::SigningDigest::sha1; }, "cert_weak"},
            {"for signatures", [](auto& leaf) { leaf.key_usage = {non_repudiation}; },
             "cert_usage"},
            {"for e-mail",
             [](auto& leaf) {
                 leaf.extended_key_usage = {std::string{pki::id::email_protection}};
             },
             "cert_usage"},
            {"other policy",
             [](auto& leaf) { leaf.policies = {std::string{pki::id::signature_policy}}; },
             "cert_policy"},
            {"no policy", [](auto& leaf) { leaf.policies.clear(); }, "cert_policy"},
            {"CPF", [](auto& leaf) { leaf.card_type = 1; }, "card_type_refused"},
            {"CPA", [](auto& leaf) { leaf.card_type = 3; }, "card_type_refused"},
            {"no card type", [](auto& leaf) { leaf.card_type.reset(); }, "card_type_refused"},
            {"software", [](auto& leaf) { leaf.product_category = 0x03; }, "card_type_refused"},
            {"no category", [](auto& leaf) { leaf.product_category.reset(); },
             "card_type_refused"},
            {"two names", [](auto& leaf) { leaf.common_names.push_back("899700000000"); },
             "identity_mismatch"},
            {"CPE", [](auto& leaf) { leaf.card_type = 2; }, "accepted"},
            {"three RDNs", [](auto& leaf) { leaf.one_rdn = false; }, "accepted"},
        };
        for (const auto& change : changes) {
            CAPTURE(change.what);
            Portal portal;
            auto leaf = test::physician();
            change.apply(leaf);
            CHECK(portal.login_code(portal.login_with(test::issue(leaf))) == change.code);
        }
    }

    TEST_CASE("a certificate of an authority that is not pinned is refused")
    {
        static const pki::Hierarchy other{{12, test::issue_time, 2048}};
        Portal portal;

        CHECK(portal.login_code(portal.login_with(test::issue(test::physician(), other))) ==
              "cert_untrusted");
    }

    TEST_CASE("a certificate for a key that is not RSA is refused")
    {
        Portal portal;
        const auto certificate =
            test::issue_for(test::physician(), test::make_ec("P-256").public_key());

        CHECK(portal.login_code(portal.login_with(certificate)) == "cert_weak");
    }

    TEST_CASE("octets that are no certificate are refused")
    {
        for (const auto* base64 : {"", "AAAA", "MAA=", "MIIB"}) {
            CAPTURE(base64);
            Portal portal;
            auto draft = portal.login();
            draft.header["x5c"] = boost::json::array{base64};
            CHECK(portal.login_code(draft) == "cert_untrusted");
        }

        Portal portal;
        auto longer = test::card_certificate().der();
        longer.push_back(0);
        CHECK(portal.login_code(test::TokenDraft::good(portal.login_claims(), longer)) ==
              "cert_untrusted");
    }

    TEST_CASE("a token signed by another key than the certificate's is refused")
    {
        Portal portal;
        const auto token = portal.login().sign(test::make_rsa(2048));

        CHECK(portal.code(token, portal.login_expected()) == "signature_invalid");
    }

    TEST_CASE("the identity is the certificate's and not the token's")
    {
        Portal portal;
        auto claims = portal.login_claims();
        claims.subject = "899700000000";

        CHECK(portal.login_code(test::TokenDraft::good(
                  claims, test::card_certificate().der())) == "identity_mismatch");
    }

    TEST_CASE("another holder's card does not open this account")
    {
        Portal portal;
        auto other = portal.login_expected();
        other.account_ids = {"899700000000"};
        auto anyone = portal.login_expected();
        anyone.account_ids.clear();

        CHECK(portal.code(portal.login().sign(test::card_key()), other) == "account_mismatch");
        portal.hand_out();
        CHECK(portal.code(portal.login().sign(test::card_key()), anyone) == "accepted");
    }

    TEST_CASE("a portal without a list of policies takes any")
    {
        Portal portal;
        portal.policy.certificate_policies.clear();
        auto leaf = test::physician();
        leaf.policies.clear();

        CHECK(portal.login_code(portal.login_with(test::issue(leaf))) == "accepted");
    }
}
