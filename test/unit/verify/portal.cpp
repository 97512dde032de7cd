#include "portal.hpp"

#include "support/keys.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/random.hpp"
#include "cps/token/values.hpp"

namespace cps::test {
namespace {

const auto origin = token::Origin::parse("https://portal.example").value();
const auto the_feature = token::Feature::parse("infopatient.read").value();

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
      request_nonce{token::Nonce::from_bytes(Bytes(32, 2))},
      session_key{make_ec("P-256")}
{
    hand_out();
}

void Portal::hand_out(const std::string& session)
{
    (void)store.burn(login_nonce);
    (void)store.burn(request_nonce);
    (void)store.remember(login_nonce, {session, {token::Feature::login()}, clock.time});
    (void)store.remember(request_nonce, {session, {the_feature}, clock.time});
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
    claims.features = {the_feature};
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

token::Nonce Portal::fresh_nonce(std::vector<token::Feature> features)
{
    const auto nonce = token::Nonce::from_bytes(crypto::random_bytes(token::Nonce::octets));
    if (features.empty())
        features = {the_feature};
    (void)store.remember(nonce, {"session-1", std::move(features), clock.time});
    return nonce;
}

token::CardClaims Portal::session_claims(const token::Nonce& nonce) const
{
    auto claims = login_claims();
    claims.nonce = nonce;
    claims.features = {the_feature};
    claims.expires_at = clock.time + token::max_session_lifetime;
    claims.session = token::SessionClaims{session_key.public_key(), 200, {}};
    return claims;
}

TokenDraft Portal::session(const token::Nonce& nonce) const
{
    return TokenDraft::good(session_claims(nonce), card_certificate().der());
}

TokenDraft Portal::feature(const std::string& session_token, std::uint64_t seq) const
{
    const token::SessionKeyTokens tokens{origin, session_key.public_key(), session_token};
    return TokenDraft::of_session_key(
        tokens.feature_input({clock.time, clock.time + token::feature_lifetime,
                              to_base64url(crypto::random_bytes(16)), seq, the_feature,
                              request_expected().request.value()}));
}

TokenDraft Portal::revoke(const std::string& session_token) const
{
    const token::SessionKeyTokens tokens{origin, session_key.public_key(), session_token};
    return TokenDraft::of_session_key(tokens.revoke_input("AAAAAAAAAAAAAAAAAAAAAA"));
}

verify::Expectation Portal::session_expected() const
{
    auto expected = login_expected();
    expected.kind = token::Kind::session;
    expected.limit = 100;
    return expected;
}

verify::Expectation Portal::feature_expected() const
{
    auto expected = request_expected();
    expected.kind = token::Kind::feature;
    return expected;
}

verify::Expectation Portal::revoke_expected() const
{
    auto expected = login_expected();
    expected.kind = token::Kind::revoke;
    return expected;
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
    expected.feature = the_feature;
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
