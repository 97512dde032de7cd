#include "cps/x509/trust.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/openssl.hpp"
#include "support/certificates.hpp"
#include "support/keys.hpp"
#include "support/vector_file.hpp"

#include <doctest/doctest.h>

using namespace cps;
using x509::ChainFault;
using x509::TrustStore;
using Verdict = std::optional<ChainFault>;

namespace {

constexpr auto noon = test::issue_time + std::chrono::hours{24};
const auto policy = std::string{pki::id::authentication_policy};

TrustStore store()
{
    return TrustStore::from_pem(test::test_trust()).value();
}

Verdict check(const x509::Certificate& leaf, EpochSeconds at = noon)
{
    return store().check(leaf, at, {policy});
}

Verdict check(const pki::LeafSpec& spec, EpochSeconds at = noon)
{
    return check(test::issue(spec), at);
}

/// An RSA public key whose private half nobody has; of the wanted size, not of two primes.
crypto::PublicKey hollow_rsa(std::size_t octets, Bytes exponent)
{
    Bytes modulus(octets, 0xA5);
    return test::rsa_public(modulus, exponent);
}

} // namespace

TEST_SUITE("x509")
{
    TEST_CASE("a card's authentication certificate under a pinned issuing CA is believed")
    {
        CHECK(check(test::physician()) == std::nullopt);
    }

    TEST_CASE("the issuer that is found is the pinned one that signed")
    {
        const auto leaf = test::issue(test::physician());
        const auto issuer = store().find_issuer(leaf, noon, {policy});
        REQUIRE(issuer.has_value());
        CHECK(issuer->der() == store().anchors().front().der());

        const pki::Hierarchy other{{12, test::issue_time, 2048}};
        const auto stranger =
            store().find_issuer(test::issue(test::physician(), other), noon, {policy});
        REQUIRE_FALSE(stranger.has_value());
        CHECK(stranger.error() == ChainFault::untrusted);
    }

    TEST_CASE("a certificate of another hierarchy is untrusted, though the names agree")
    {
        const pki::Hierarchy other{{12, test::issue_time, 2048}};
        const auto leaf = test::issue(test::physician(), other);

        CHECK(check(leaf) == ChainFault::untrusted);
        const auto own = pki::certificate_pem(other.issuing().certificate.get());
        CHECK(TrustStore::from_pem(own).value().check(leaf, noon, {policy}) == std::nullopt);
    }

    TEST_CASE("a self-signed certificate is untrusted")
    {
        auto spec = test::physician();
        spec.self_signed = true;

        CHECK(check(spec) == ChainFault::untrusted);
    }

    TEST_CASE("a changed signature or content is untrusted")
    {
        const auto good = test::issue(test::physician());
        auto signature = good.der();
        signature.back() ^= 1;
        auto content = good.der();
        const auto cn = text_of(content).find("899700");
        REQUIRE(cn != std::string::npos);
        content[cn + 11] ^= 1; // the next holder

        CHECK(check(x509::Certificate::from_der(signature).value()) == ChainFault::untrusted);
        CHECK(check(x509::Certificate::from_der(content).value()) == ChainFault::untrusted);
    }

    TEST_CASE("a critical extension that nobody knows makes a certificate untrusted")
    {
        auto spec = test::physician();
        spec.more = {{"1.2.250.1.71.9.9.9", true, from_hex("05 00").value()}};
        CHECK(check(spec) == ChainFault::untrusted);

        spec.more.front().critical = false;
        CHECK(check(spec) == std::nullopt);
    }

    TEST_CASE("what RFC 5280 demands of every certificate is demanded")
    {
        auto spec = test::physician();
        spec.without = {std::string{pki::id::authority_key}}; // 4.2.1.1

        CHECK(check(spec) == ChainFault::untrusted);
    }

    TEST_CASE("a certificate that a card issued is untrusted")
    {
        const auto card = test::hierarchy_card();
        const auto key = test::make_rsa(2048);
        const pki::KeyPtr shared{key.native(), [key](EVP_PKEY*) {}};
        const auto draft = pki::draft_of(test::physician(), 1, pki::key_identifier(shared),
                                         pki::key_identifier(card.key));
        const auto made = pki::sign_certificate(draft, shared, &card);
        const auto leaf =
            x509::Certificate::from_der(pki::der_of(i2d_X509, made.get())).value();

        CHECK(check(leaf) == ChainFault::untrusted);
    }

    TEST_CASE("dates are compared with the time given, the anchor's too")
    {
        auto spec = test::physician();
        const auto second = std::chrono::seconds{1};

        CHECK(check(spec, spec.not_before - second) == ChainFault::not_yet_valid);
        CHECK(check(spec, spec.not_before) == std::nullopt);
        CHECK(check(spec, spec.not_after - second) == std::nullopt);
        CHECK(check(spec, spec.not_after + second) == ChainFault::expired);

        const auto issuing =
            x509::Certificate::from_der(test::test_hierarchy().issuing().der()).value();
        spec.not_after = issuing.not_after() + std::chrono::days{1000};
        CHECK(check(spec, issuing.not_after() - second) == std::nullopt);
        CHECK(check(spec, issuing.not_after() + second) == ChainFault::expired);
    }

    TEST_CASE("a certificate for another use is refused by its usage")
    {
        const auto good = test::physician();

        auto signing = good;
        signing.key_usage = {pki::KeyUsage::non_repudiation};
        CHECK(check(signing) == ChainFault::usage);

        auto agreement = good;
        agreement.key_usage = {pki::KeyUsage::key_encipherment};
        CHECK(check(agreement) == ChainFault::usage);

        auto mail = good;
        mail.extended_key_usage = {std::string{pki::id::email_protection}};
        CHECK(check(mail) == ChainFault::usage);

        auto any = good;
        any.extended_key_usage = {"2.5.29.37.0"}; // anyExtendedKeyUsage is not clientAuth
        CHECK(check(any) == ChainFault::usage);

        auto no_usage = good;
        no_usage.without = {std::string{pki::id::key_usage}};
        CHECK(check(no_usage) == ChainFault::usage);

        auto no_purpose = good;
        no_purpose.without = {std::string{pki::id::extended_key_usage}};
        CHECK(check(no_purpose) == ChainFault::usage);

        auto authority = good;
        authority.ca = true;
        CHECK(check(authority) == ChainFault::usage);
    }

    TEST_CASE("one of the allowed policies must be there, unless none is asked for")
    {
        auto spec = test::physician();

        spec.policies = {std::string{pki::id::signature_policy}};
        CHECK(check(spec) == ChainFault::policy);
        CHECK(store().check(test::issue(spec), noon, {policy, spec.policies.front()}) ==
              std::nullopt);
        CHECK(store().check(test::issue(spec), noon, {}) == std::nullopt);

        spec.policies = {"2.5.29.32.0"}; // anyPolicy names none of ours
        CHECK(check(spec) == ChainFault::policy);

        spec.policies.clear();
        CHECK(check(spec) == ChainFault::policy);
        CHECK(store().check(test::issue(spec), noon, {}) == std::nullopt);
    }

    TEST_CASE("a leaf key outside RSA 2048 to 4096 with e = 65537 is weak")
    {
        const auto spec = test::physician();
        const Bytes f4{0x01, 0x00, 0x01};

        CHECK(check(test::issue_for(spec, hollow_rsa(128, f4))) == ChainFault::weak);
        CHECK(check(test::issue_for(spec, hollow_rsa(255, f4))) == ChainFault::weak);
        CHECK(check(test::issue_for(spec, hollow_rsa(256, f4))) == std::nullopt);
        CHECK(check(test::issue_for(spec, hollow_rsa(512, f4))) == std::nullopt);
        CHECK(check(test::issue_for(spec, hollow_rsa(513, f4))) == ChainFault::weak);
        CHECK(check(test::issue_for(spec, hollow_rsa(256, {0x03}))) == ChainFault::weak);
        CHECK(check(test::issue_for(spec, test::make_ec("P-256").public_key())) ==
              ChainFault::weak);
    }

    TEST_CASE("a signature over SHA-1 is weak")
    {
        auto spec = test::physician();
        spec.digest = pki::SigningDigest::sha1;

        CHECK(check(spec) == ChainFault::weak);
    }

    TEST_CASE("an issuing CA with a short key is weak, pinned or not")
    {
        const pki::Hierarchy small{{13, test::issue_time, 1024}};
        const auto trust =
            TrustStore::from_pem(pki::certificate_pem(small.issuing().certificate.get()))
                .value();

        CHECK(trust.check(test::issue(test::physician(), small), noon, {policy}) ==
              ChainFault::weak);
    }

    TEST_CASE("ANS's old test certificate is weak, before anybody asks who signed it")
    {
        const auto leaf =
            x509::Certificate::from_der(
                test::read_vector_octets("certificates/ans-test-cps2ter-authentication.der"))
                .value();

        CHECK(store().check(leaf, leaf.not_before(), {}) == ChainFault::weak);
    }

    TEST_CASE("of several faults the one nearest to trust is told")
    {
        auto spec = test::physician();
        spec.policies.clear();
        spec.key_usage = {pki::KeyUsage::non_repudiation};
        const auto late = spec.not_after + std::chrono::hours{1};

        CHECK(check(spec) == ChainFault::usage); // before policy
        CHECK(check(spec, late) == ChainFault::expired);
        spec.self_signed = true;
        CHECK(check(spec, late) == ChainFault::untrusted);
        spec.digest = pki::SigningDigest::sha1;
        CHECK(check(spec, late) == ChainFault::weak);
    }

    TEST_CASE("anchors are CA certificates, one at least")
    {
        CHECK(store().anchors().size() == 1);
        CHECK(TrustStore::from_pem("").error().code() == Errc::malformed_input);
        CHECK(TrustStore::from_pem("no PEM").error().code() == Errc::malformed_input);
        const auto leaf = test::issue(test::physician()).pem();
        CHECK(TrustStore::from_pem(leaf).error().code() == Errc::malformed_input);
        CHECK(TrustStore::from_pem(test::test_trust() + leaf).error().code() ==
              Errc::malformed_input);
    }

    TEST_CASE("a root alone does not vouch for a card: nothing is fetched to fill the gap")
    {
        const auto& root = test::test_hierarchy().root();
        const auto pem = pki::certificate_pem(root.certificate.get());
        const auto leaf = test::issue(test::physician());

        CHECK(TrustStore::from_pem(pem).value().check(leaf, noon, {policy}) ==
              ChainFault::untrusted);
        CHECK(TrustStore::from_pem(pem + test::test_trust())
                  .value()
                  .check(leaf, noon, {policy}) == std::nullopt);
    }
}
