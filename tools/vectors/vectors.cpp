#include "vectors.hpp"

#include "scene.hpp"
#include "spoil.hpp"

#include "pki/certificate.hpp"
#include "pki/revocation.hpp"

#include "cps/base/encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/x509.h>

#include <functional>

namespace cps::vectors {
namespace {

using token::Kind;

class Maker {
public:
    std::vector<json::object> run()
    {
        accepted();
        tokens();
        nonces();
        sessions();
        chains();
        revocation();
        return std::move(made_);
    }

private:
    void add(std::string name, const char* of_class, std::string token, json::object context,
             const char* verdict, int later = 0)
    {
        made_.push_back({{"name", std::move(name)},
                         {"class", of_class},
                         {"token", std::move(token)},
                         {"context", std::move(context)},
                         {"at", to_number(scene_.now) + later},
                         {"verdict", verdict}});
    }
    std::string login(const Spoil& spoil) const
    {
        auto draft = scene_.card_draft(scene_.login());
        spoil(draft);
        return draft.sign(scene_.card_key());
    }
    std::string session(unsigned nonce, const std::string& previous = {}) const
    {
        return scene_.card_draft(scene_.session(nonce, previous)).sign(scene_.card_key());
    }
    /// A token that was verified before, which put the portal's records as they are.
    json::object earlier(const std::string& token, json::object context, int later = 0) const
    {
        context.erase("nonces");
        context.erase("trust");
        context.erase("policies");
        return {{"token", token},
                {"context", std::move(context)},
                {"at", to_number(scene_.now) + later}};
    }
    /// What a feature token meets once `session_token` opened its session.
    json::object open(const std::string& session_token, Kind kind = Kind::feature) const
    {
        auto context = scene_.context(kind);
        context["before"] = json::array{earlier(session_token, scene_.context(Kind::session))};
        return context;
    }
    std::string feature(const std::string& session_token, std::uint64_t seq = 1,
                        const Spoil& spoil = {}) const
    {
        auto draft = scene_.feature_draft(session_token, seq);
        if (spoil)
            spoil(draft);
        return draft.sign(scene_.session_key());
    }

    void accepted();
    void tokens();
    void nonces();
    void sessions();
    void chains();
    void revocation();

    const Scene scene_;
    std::vector<json::object> made_;
};

void Maker::accepted()
{
    const auto is_good = [](TokenDraft&) {};
    add("login", "token", login(is_good), scene_.context(Kind::login), "accepted");
    add("login-ps256", "token",
        scene_.card_draft(scene_.login(), crypto::SignatureAlgorithm::ps256)
            .sign(scene_.card_key()),
        scene_.context(Kind::login), "accepted");
    add("request", "token", scene_.card_draft(scene_.request()).sign(scene_.card_key()),
        scene_.context(Kind::request), "accepted");

    const auto opening = session(2);
    add("session", "token", opening, scene_.context(Kind::session), "accepted");
    add("session-renewed", "state", session(3, opening), open(opening, Kind::session),
        "accepted");
    add("feature", "state", feature(opening), open(opening), "accepted");
    auto fresh = open(opening);
    fresh["fresh_nonce"] = true;
    add("feature-with-nonce", "state",
        scene_.feature_draft(opening, 1, scene_.nonce(4)).sign(scene_.session_key()), fresh,
        "accepted");
    add("revoke", "state", scene_.revoke_draft(opening).sign(scene_.session_key()),
        open(opening, Kind::revoke), "accepted");
}

void Maker::tokens()
{
    const auto refuse = [&](const char* name, const Spoil& spoil, const char* code) {
        add(name, "token", login(spoil), scene_.context(Kind::login), code);
    };
    const auto good = login([](TokenDraft&) {});
    const auto context = scene_.context(Kind::login);
    add("malformed-two-parts", "token", good.substr(0, good.rfind('.')), context, "malformed");
    add("malformed-four-parts", "token", good + ".AAAA", context, "malformed");
    add("malformed-padding", "token", good + "==", context, "malformed");
    add("malformed-header", "token", "bm90IGpzb24" + good.substr(good.find('.')), context,
        "malformed");
    {
        const auto draft = scene_.card_draft(scene_.login());
        auto claims = json::serialize(draft.claims);
        claims.insert(claims.size() - 1, R"(,"aud":"https://portail.example")");
        add("malformed-member-twice", "token",
            forge::sign_texts(json::serialize(draft.header), claims, scene_.card_key()),
            context, "malformed");
    }
    refuse("too-long", set_claim("sub", json::string(17'000, 'A')), "too_long");
    refuse("header-with-jwk", set_header("jwk", json::object{}), "header_refused");
    refuse("header-with-crit", set_header("crit", json::array{"exp"}), "header_refused");
    refuse(
        "header-with-two-certificates",
        [](TokenDraft& draft) {
            auto& chain = draft.header["x5c"].as_array();
            chain.push_back(chain.front());
        },
        "header_refused");
    refuse("alg-none", set_header("alg", "none"), "alg_refused");
    refuse("alg-hs256", set_header("alg", "HS256"), "alg_refused");
    refuse("typ-jwt", set_header("typ", "JWT"), "typ_refused");
    refuse("typ-session", set_header("typ", "cps-session+jwt"), "typ_refused");
    refuse("claims-without-nonce", drop_claim("nonce"), "claims_refused");
    refuse("claims-with-another", set_claim("admin", true), "claims_refused");
    refuse("claims-iss-not-sub", set_claim("iss", "somebody"), "claims_refused");
    refuse("claims-aud-list", set_claim("aud", json::array{"https://portail.example"}),
           "claims_refused");
    refuse("claims-time-as-text", set_claim("iat", "1790086400"), "claims_refused");
    refuse("audience-of-another-portal", set_claim("aud", "https://other.example"),
           "audience_mismatch");
    refuse("audience-with-slash", set_claim("aud", "https://portail.example/"),
           "audience_mismatch");
    refuse("expired", move_life(-66), "token_expired");
    refuse("not-yet-valid", move_life(6), "token_not_yet_valid");
    refuse("lifetime-too-long", set_claim("exp", to_number(scene_.now) + 61),
           "lifetime_refused");
    refuse(
        "identity-of-another",
        [](TokenDraft& draft) {
            draft.claims["iss"] = "899700000099";
            draft.claims["sub"] = "899700000099";
        },
        "identity_mismatch");
    refuse("feature-for-a-login", set_claim("feat", json::array{"infopatient.read"}),
           "feature_refused");

    auto spoilt = good;
    spoilt[spoilt.rfind('.') + 10] = spoilt[spoilt.rfind('.') + 10] == 'A' ? 'B' : 'A';
    add("signature-changed", "token", spoilt, context, "signature_invalid");
    auto account = scene_.context(Kind::login);
    account["account_ids"] = json::array{"899700000099"};
    add("account-of-another", "token", good, account, "account_mismatch");

    auto other = scene_.context(Kind::request);
    other["rid"] = random_looking(9);
    add("request-for-another-patient", "token",
        scene_.card_draft(scene_.request()).sign(scene_.card_key()), other, "request_mismatch");
    auto private_half = scene_.card_draft(scene_.session(2));
    private_half.claims["cnf"].as_object()["jwk"].as_object()["d"] = random_looking(1);
    add("session-key-with-private-half", "token", private_half.sign(scene_.card_key()),
        scene_.context(Kind::session), "claims_refused");
    auto off_curve = scene_.card_draft(scene_.session(2));
    off_curve.claims["cnf"].as_object()["jwk"].as_object()["x"] = random_looking(1);
    add("session-key-off-the-curve", "token", off_curve.sign(scene_.card_key()),
        scene_.context(Kind::session), "claims_refused");
}

void Maker::nonces()
{
    const auto good = login([](TokenDraft&) {});
    auto context = scene_.context(Kind::login);
    context["nonces"].as_object().erase(scene_.nonce(0).str());
    add("nonce-unknown", "state", good, context, "nonce_unknown");

    context = scene_.context(Kind::login);
    context["before"] = json::array{earlier(good, scene_.context(Kind::login))};
    add("nonce-used", "state", login([](TokenDraft&) {}), context, "nonce_unknown");

    const auto record = [&](const char* member, json::value value, json::object in) {
        in["nonces"].as_object()[scene_.nonce(0).str()].as_object()[member] = std::move(value);
        return in;
    };
    const auto login_context = scene_.context(Kind::login);
    add("nonce-stale", "state", good,
        record("issued", to_number(scene_.now) - 121, login_context), "nonce_stale");
    add("nonce-of-another-session", "state", good,
        record("session", "session-2", login_context), "nonce_mismatch");
    add("nonce-of-another-feature", "state", good,
        record("features", json::array{"infopatient.read"}, login_context), "nonce_mismatch");
    add("nonce-after-the-token", "state", login(move_life(-6)), login_context,
        "nonce_mismatch");
    context = scene_.context(Kind::login);
    context["store"] = "down";
    add("store-down", "state", good, context, "store_unavailable");
}

void Maker::sessions()
{
    const auto opening = session(2);
    const auto good = feature(opening);
    const auto refuse = [&](const char* name, const std::string& token, const char* code,
                            int later = 0) {
        add(name, "state", token, open(opening), code, later);
    };
    add("session-unknown", "state", good, scene_.context(Kind::feature), "session_unknown");
    auto elsewhere = open(opening);
    elsewhere["session"] = "session-2";
    add("session-of-another", "state", good, elsewhere, "session_unknown");
    refuse("session-token-ended", feature(opening, 1, move_life(600)), "session_ended", 600);
    refuse("feature-under-another-token",
           feature(opening, 1, set_claim("cth", random_looking(3))), "cth_mismatch");
    refuse("feature-by-another-key", scene_.feature_draft(opening).sign(scene_.session_key(1)),
           "signature_invalid");
    refuse("feature-that-was-not-agreed", feature(opening, 1, set_claim("feat", "other")),
           "feature_refused");
    auto card = open(opening);
    card["mode"] = "card";
    add("feature-for-the-card-alone", "state", good, card, "feature_refused");
    refuse("feature-for-another-patient",
           feature(opening, 1, set_claim("rid", random_looking(3))), "request_mismatch");
    refuse("feature-with-unwanted-nonce",
           feature(opening, 1, set_claim("nonce", random_looking(3))), "claims_refused");
    refuse("feature-above-the-limit", feature(opening, 101), "limit_reached");
    refuse("feature-alg-of-the-card", feature(opening, 1, set_header("alg", "RS256")),
           "alg_refused");
    refuse("feature-lifetime-too-long",
           feature(opening, 1, set_claim("exp", to_number(scene_.now) + 61)),
           "lifetime_refused");

    const auto after = [&](const std::vector<std::string>& tokens) {
        auto context = open(opening);
        auto& before = context["before"].as_array();
        for (const auto& token : tokens)
            before.push_back(earlier(token, scene_.context(Kind::feature)));
        return context;
    };
    add("replayed", "state", good, after({good}), "replayed");
    add("sequence-used", "state", feature(opening, 7), after({feature(opening, 7)}),
        "sequence_refused");
    add("sequence-behind-the-window", "state", feature(opening, 8),
        after({feature(opening, 40)}), "sequence_refused");
    add("sequence-at-the-windows-end", "state", feature(opening, 9),
        after({feature(opening, 40)}), "accepted");

    auto quota = after({feature(opening, 1)});
    for (auto* one :
         {&quota, &quota["before"].as_array()[1].as_object()["context"].as_object()}) {
        (*one)["account"] = "claire";
        (*one)["quota"] = json::object{{"per_hour", 1}, {"per_day", 10}};
    }
    add("quota-exceeded", "state", feature(opening, 2), quota, "quota_exceeded");

    auto other = scene_.session(3, opening);
    other.session->previous = to_base64url(Bytes(32, 3));
    add("renewal-of-another-token", "state", scene_.card_draft(other).sign(scene_.card_key()),
        open(opening, Kind::session), "cth_mismatch");
    const auto renewed = session(3, opening);
    auto renewal = open(opening);
    renewal["before"].as_array().push_back(earlier(renewed, scene_.context(Kind::session)));
    add("feature-under-the-token-before", "state", good, renewal, "cth_mismatch");
    auto ended = open(opening);
    ended["before"].as_array().push_back(earlier(
        scene_.revoke_draft(opening).sign(scene_.session_key()), scene_.context(Kind::revoke)));
    add("feature-after-the-revocation", "state", good, ended, "session_unknown");
}

void Maker::chains()
{
    const auto refuse = [&](const char* name, const std::function<void(pki::LeafSpec&)>& spoil,
                            const char* code) {
        auto spec = scene_.leaf();
        spoil(spec);
        const auto card = scene_.hierarchy().issue(spec);
        auto draft = forge::TokenDraft::good(scene_.login(),
                                             pki::der_of(i2d_X509, card.certificate.get()));
        add(name, "chain", draft.sign(crypto::PrivateKey{card.key}),
            scene_.context(Kind::login), code);
    };
    refuse(
        "certificate-names-apart", [](auto& spec) { spec.one_rdn = false; }, "accepted");
    refuse(
        "certificate-self-signed", [](auto& spec) { spec.self_signed = true; },
        "cert_untrusted");
    refuse(
        "certificate-expired",
        [&](auto& spec) { spec.not_after = scene_.now - std::chrono::seconds{1}; },
        "cert_expired");
    refuse(
        "certificate-not-yet-valid",
        [&](auto& spec) { spec.not_before = scene_.now + std::chrono::days{1}; },
        "cert_not_yet_valid");
    refuse(
        "certificate-without-client-auth",
        [](auto& spec) { spec.extended_key_usage = {"1.3.6.1.5.5.7.3.4"}; }, "cert_usage");
    refuse(
        "certificate-of-a-ca", [](auto& spec) { spec.ca = true; }, "cert_usage");
    refuse(
        "certificate-of-another-policy",
        [](auto& spec) { spec.policies = {"1.2.250.1.213.99"}; }, "cert_policy");
    refuse(
        "certificate-of-1024-bits",
        [](auto& spec) {
            spec.key_bits = 1024;
            spec.key_name = "vectors-weak";
        },
        "cert_weak");
    refuse(
        "certificate-of-a-cpa", [](auto& spec) { spec.card_type = 3; }, "card_type_refused");
    refuse(
        "certificate-in-software", [](auto& spec) { spec.product_category = 0x03; },
        "card_type_refused");
    refuse(
        "certificate-of-two-names",
        [](auto& spec) { spec.common_names.push_back("899700000099"); }, "identity_mismatch");
}

void Maker::revocation()
{
    using std::chrono::days;
    const auto& issuing = scene_.hierarchy().issuing();
    const auto with_crl = [&](std::optional<EpochSeconds> revoked_at, EpochSeconds from,
                              EpochSeconds until) {
        auto context = scene_.context(Kind::login);
        context["crl"] = to_base64(
            pki::crl(issuing, {pki::index_entry(scene_.card(), revoked_at)}, from, until));
        return context;
    };
    const auto good = login([](TokenDraft&) {});
    const auto now = scene_.now;
    add("not-revoked", "revocation", good, with_crl({}, now - days{1}, now + days{1}),
        "accepted");
    add("revoked", "revocation", good, with_crl(now - days{1}, now - days{1}, now + days{1}),
        "cert_revoked");
    add("revocation-list-too-old", "revocation", good,
        with_crl({}, now - days{9}, now - days{8}), "revocation_unknown");
}

} // namespace

std::vector<boost::json::object> make()
{
    return Maker{}.run();
}

} // namespace cps::vectors
