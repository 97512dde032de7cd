#include "scenario.hpp"

#include "forge/token_forge.hpp"
#include "pki/cards.hpp"
#include "pki/hierarchy.hpp"
#include "pki/revocation.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/random.hpp"
#include "cps/token/jwk.hpp"
#include "cps/token/session_key_token.hpp"
#include "cps/x509/ocsp.hpp"

#include <openssl/x509.h>

namespace cps::bench {
namespace {

constexpr std::uint64_t seed = 41;
constexpr auto issued = epoch_seconds(1'790'000'000); // 2026-09-21
constexpr std::size_t card_count = 64;
constexpr std::size_t tokens_each = 4; // of each kind, for each card
constexpr unsigned limit = 10'000;     // feature tokens of one session

token::Nonce fresh_nonce()
{
    return token::Nonce::from_bytes(crypto::random_bytes(token::Nonce::octets));
}

std::string fresh_jti()
{
    return to_base64url(crypto::random_bytes(16));
}

/// All cards have one key: making 64 takes longer than the run. Each is decoded for itself.
pki::Authority issue_card(const pki::Hierarchy& hierarchy, std::size_t number)
{
    const auto& person = pki::fictitious_cards().front().person;
    auto spec = pki::authentication_leaf("bench-" + std::to_string(number), person, issued,
                                         pki::years_after(issued, pki::leaf_years));
    spec.key_name = "bench";
    return hierarchy.issue(spec);
}

verify::Expectation expectation(token::Kind kind, std::size_t card, const std::string& id)
{
    verify::Expectation expected;
    expected.kind = kind;
    expected.session = "portal-session-" + std::to_string(card);
    expected.account_ids = {id};
    return expected;
}

token::RequestBinding binding(const token::Origin& origin, std::size_t number)
{
    const auto body = R"({"nir":"2550814168)" + std::to_string(10'000 + number) + "\"}";
    return token::RequestBinding::parse(origin, "POST", origin.str() + "/api/patients/rights",
                                        token::request_id({}, octets(body)))
        .value();
}

} // namespace

Scenario::Scenario()
    : now{issued + std::chrono::days{1}},
      origin{token::Origin::parse("https://portail.example").value()},
      feature{token::Feature::parse("infopatient.read").value()}
{
    const pki::Hierarchy hierarchy{{seed, issued, 4096}};
    const auto responder = hierarchy.ocsp_responder();
    const auto issuer = x509::Certificate::from_der(hierarchy.issuing().der()).value();
    const auto id = pki::fictitious_cards().front().person.id;
    trust_pem = issuer.pem();

    for (std::size_t number = 0; number != card_count; ++number) {
        const auto authority = issue_card(hierarchy, number);
        const crypto::PrivateKey card_key{authority.key};
        const auto certificate = x509::Certificate::from_der(authority.der()).value();
        const auto question = x509::OcspRequest::about(certificate, issuer);
        auto staple = pki::ocsp_answer(question.der(), hierarchy.issuing(), responder,
                                       {pki::index_entry(authority, {})}, now);

        const auto claims = [&](const token::Nonce& nonce) {
            return token::CardClaims{.subject = id,
                                     .audience = origin,
                                     .nonce = nonce,
                                     .jti = fresh_jti(),
                                     .issued_at = now,
                                     .expires_at = now + token::max_login_lifetime,
                                     .auth_time = now,
                                     .features = {feature}};
        };
        const auto signed_by_card = [&](const token::CardClaims& said, token::Kind kind) {
            auto token = forge::TokenDraft::good(said, certificate.der()).sign(card_key);
            Case made{std::move(token), expectation(kind, number, id), said.nonce, number};
            if (said.request) {
                made.expected.feature = feature;
                made.expected.request = said.request;
            }
            return made;
        };

        const auto session_key = crypto::PrivateKey::generate_p256();
        auto opening = claims(fresh_nonce());
        opening.expires_at = now + token::max_session_lifetime;
        opening.session = token::SessionClaims{session_key.public_key(), limit, {}};
        const auto session = signed_by_card(opening, token::Kind::session);
        const token::SessionKeyTokens by_session{origin, session_key.public_key(),
                                                 session.token};
        for (std::size_t each = 0; each != tokens_each; ++each) {
            auto login = claims(fresh_nonce());
            login.features = {token::Feature::login()};
            logins.push_back(signed_by_card(login, token::Kind::login));

            auto request = claims(fresh_nonce());
            request.request = binding(origin, requests.size());
            requests.push_back(signed_by_card(request, token::Kind::request));

            const auto bound = binding(origin, features.size());
            auto token = forge::TokenDraft::of_session_key(
                             by_session.feature_input({now,
                                                       now + token::feature_lifetime,
                                                       fresh_jti(),
                                                       each + 1,
                                                       feature,
                                                       bound,
                                                       {}}))
                             .sign(session_key);
            Case look_up{std::move(token), expectation(token::Kind::feature, number, id),
                         session.nonce, number};
            look_up.expected.feature = feature;
            look_up.expected.request = bound;
            features.push_back(std::move(look_up));
        }
        cards.push_back({certificate, std::move(staple), session_key,
                         token::thumbprint(session_key.public_key()), session});
    }
}

} // namespace cps::bench
