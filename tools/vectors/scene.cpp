#include "scene.hpp"

#include "pki/cards.hpp"
#include "pki/certificate.hpp"
#include "pki/extensions.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/random.hpp"
#include "cps/x509/certificate.hpp"

#include <boost/json/array.hpp>
#include <openssl/x509.h>

namespace cps::vectors {
namespace {

constexpr std::uint64_t seed = 23;
constexpr auto issued = epoch_seconds(1'790'000'000); // 2026-09-21
constexpr unsigned nonces = 5;

// Two keys that protect nothing.
constexpr std::string_view session_key_pems[] = {
    R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNr/5DeMDi+hUuD/3
ngFxw3+q58pdRl5fVJhsawNGm/ihRANCAARnNSLhTR39z84d2A/UwVe6S7oDpyw1
BDoN+uB66slSgVBA1kZk9nmVt7Gg3VhcyUSW5VpV3/6tqMCods+QP2JA
-----END PRIVATE KEY-----
)",
    R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgk/doR6pPN4ml+Z5c
e9djCJhcvs6beXacXiXwQlW1bVShRANCAAT4DeWs7zdaWJOe5c/uzEddAxW7ocVD
bvrrjVhmywon399TRYWuhKh+1LoxT2YTfWPcl103bYvv6bxoWOh9UUWC
-----END PRIVATE KEY-----
)"};

std::string fresh_jti()
{
    return to_base64url(crypto::random_bytes(16));
}

token::RequestBinding binding(const token::Origin& origin)
{
    return token::RequestBinding::parse(
               origin, "POST", origin.str() + "/patient",
               token::request_id(octets("droits=1"), octets(R"({"nir":"255081416802538"})")))
        .value();
}

} // namespace

Scene::Scene()
    : now{issued + std::chrono::days{1}},
      origin{token::Origin::parse("https://portail.example").value()},
      feature{token::Feature::parse("infopatient.read").value()},
      hierarchy_{{seed, issued, 2048}},
      card_{hierarchy_.issue(leaf())},
      card_key_{card_.key}
{
    for (const auto pem : session_key_pems)
        session_keys_.push_back(crypto::PrivateKey::from_pem(pem).value());
}

pki::LeafSpec Scene::leaf() const
{
    auto spec = pki::authentication_leaf("vectors", pki::fictitious_cards().front().person,
                                         issued, pki::years_after(issued, pki::leaf_years));
    spec.key_name = "vectors";
    return spec;
}

std::string Scene::trust_pem() const
{
    return pki::certificate_pem(hierarchy_.issuing().certificate.get());
}

token::Nonce Scene::nonce(unsigned number) const
{
    return token::Nonce::from_bytes(
        Bytes(token::Nonce::octets, static_cast<std::uint8_t>(number + 1)));
}

token::CardClaims Scene::login() const
{
    return {.subject = leaf().common_names.front(),
            .audience = origin,
            .nonce = nonce(0),
            .jti = fresh_jti(),
            .issued_at = now,
            .expires_at = now + token::max_login_lifetime,
            .auth_time = now,
            .features = {token::Feature::login()}};
}

token::CardClaims Scene::request() const
{
    auto claims = login();
    claims.nonce = nonce(1);
    claims.features = {feature};
    claims.request = binding(origin);
    return claims;
}

token::CardClaims Scene::session(unsigned nonce_number, const std::string& previous) const
{
    auto claims = login();
    claims.nonce = nonce(nonce_number);
    claims.features = {feature};
    claims.expires_at = now + token::max_session_lifetime;
    claims.session = token::SessionClaims{session_key().public_key(), 200, {}};
    if (!previous.empty())
        claims.session->previous = token::token_hash(previous);
    return claims;
}

forge::TokenDraft Scene::card_draft(const token::CardClaims& claims,
                                    crypto::SignatureAlgorithm algorithm) const
{
    return forge::TokenDraft::good(claims, pki::der_of(i2d_X509, card_.certificate.get()),
                                   algorithm);
}

forge::TokenDraft Scene::feature_draft(const std::string& session_token, std::uint64_t seq,
                                       const std::optional<token::Nonce>& nonce) const
{
    const token::SessionKeyTokens tokens{origin, session_key().public_key(), session_token};
    return forge::TokenDraft::of_session_key(
        tokens.feature_input({now, now + token::feature_lifetime, fresh_jti(), seq, feature,
                              binding(origin), nonce}));
}

forge::TokenDraft Scene::revoke_draft(const std::string& session_token) const
{
    const token::SessionKeyTokens tokens{origin, session_key().public_key(), session_token};
    return forge::TokenDraft::of_session_key(tokens.revoke_input(fresh_jti()));
}

boost::json::object Scene::context(token::Kind kind) const
{
    boost::json::object records;
    for (unsigned number = 0; number != nonces; ++number)
        records[nonce(number).str()] = {
            {"session", "session-1"},
            {"features", boost::json::array{number == 0 ? "login" : feature.str()}},
            {"issued", to_number(now)}};
    boost::json::object context{
        {"kind", token::name_of(kind)},
        {"audience", origin.str()},
        {"session", "session-1"},
        {"account_ids", boost::json::array{leaf().common_names.front()}},
        {"nonces", std::move(records)},
        {"trust", trust_pem()},
        {"policies", boost::json::array{pki::id::authentication_policy}}};
    if (kind == token::Kind::session)
        context["limit"] = 100;
    if (kind == token::Kind::request || kind == token::Kind::feature) {
        const auto bound = binding(origin);
        context["feature"] = feature.str();
        context["mode"] = kind == token::Kind::request ? "card" : "session";
        context["htm"] = bound.htm;
        context["htu"] = bound.htu;
        context["rid"] = bound.rid;
    }
    return context;
}

} // namespace cps::vectors
