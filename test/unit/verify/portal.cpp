#include "portal.hpp"

#include "cps/token/values.hpp"

namespace cps::test {
namespace {

const auto origin = token::Origin::parse("https://portal.example").value();
const auto feature = token::Feature::parse("infopatient.read").value();

} // namespace

const x509::Certificate& card_certificate()
{
    static const auto certificate = issue(physician());
    return certificate;
}

const crypto::PrivateKey& card_key()
{
    static const crypto::PrivateKey key{hierarchy_card().key};
    return key;
}

Portal::Portal()
    : policy{.audience = origin,
             .certificate_policies = {std::string{pki::id::authentication_policy}}},
      login_nonce{token::Nonce::from_bytes(Bytes(32, 1))},
      request_nonce{token::Nonce::from_bytes(Bytes(32, 2))}
{
    hand_out();
}

void Portal::hand_out(const std::string& session)
{
    (void)store.burn(login_nonce);
    (void)store.burn(request_nonce);
    (void)store.remember(login_nonce, {session, {token::Feature::login()}, clock.time});
    (void)store.remember(request_nonce, {session, {feature}, clock.time});
}

token::CardClaims Portal::login_claims() const
{
    return {.subject = physician().common_names.front(),
            .audience = origin,
            .nonce = login_nonce,
            .jti = "AAAAAAAAAAAAAAAAAAAAAA",
            .issued_at = clock.time,
            .expires_at = clock.time + token::max_login_lifetime,
            .auth_time = clock.time,
            .features = {token::Feature::login()},
            .request = std::nullopt};
}

token::CardClaims Portal::request_claims() const
{
    auto claims = login_claims();
    claims.nonce = request_nonce;
    claims.features = {feature};
    claims.request = request_expected().request;
    return claims;
}

TokenDraft Portal::login() const
{
    return login_with(card_certificate());
}

TokenDraft Portal::request() const
{
    return TokenDraft::good(request_claims(), card_certificate().der());
}

TokenDraft Portal::login_with(const x509::Certificate& certificate) const
{
    return TokenDraft::good(login_claims(), certificate.der());
}

verify::Expectation Portal::login_expected() const
{
    verify::Expectation expected;
    expected.session = "session-1";
    expected.account_ids = {"delegate", physician().common_names.front()};
    return expected;
}

verify::Expectation Portal::request_expected() const
{
    auto expected = login_expected();
    expected.kind = token::Kind::request;
    expected.feature = feature;
    expected.request = token::RequestBinding::parse(
        origin, "POST", "https://portal.example/patient",
        token::request_id(octets("rights=1"), octets(R"({"nir":"255081416802538"})")));
    return expected;
}

verify::Verdict<verify::Accepted> Portal::verify(const std::string& token,
                                                 const verify::Expectation& expected)
{
    static const auto trust = x509::TrustStore::from_pem(test_trust()).value();
    return verify::Verifier{policy, trust, store, clock}.verify(token, expected);
}

std::string Portal::code(const std::string& token, const verify::Expectation& expected)
{
    const auto verdict = verify(token, expected);
    return verdict ? "accepted" : std::string{verify::code_of(verdict.error())};
}

std::string Portal::login_code(const TokenDraft& draft)
{
    return code(draft.sign(card_key()), login_expected());
}

std::string Portal::request_code(const TokenDraft& draft)
{
    return code(draft.sign(card_key()), request_expected());
}

} // namespace cps::test
