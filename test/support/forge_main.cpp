// cps-forge: makes a token with the key of a test card, or of a session, as an agent would or
// spoilt on demand, for tests that are scripts. The token alone goes to standard output.
#include "cps/base/encoding.hpp"
#include "cps/crypto/random.hpp"
#include "cps/token/json.hpp"
#include "cps/x509/holder.hpp"
#include "forge/token_forge.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

using namespace cps;

namespace {

struct Options {
    std::string kind;
    std::string card;
    std::string origin, nonce, htm, htu, rid;
    std::vector<std::string> features;
    std::string session_key, session_token;
    std::optional<std::string> previous;
    unsigned limit = 200;
    std::uint64_t seq = 1;
    std::string alg = "RS256";
    long long at = to_number(SystemClock{}.now());
    std::optional<long long> life;
    std::string set_header, set_claims; // JSON objects
    std::vector<std::string> drop_header, drop_claims;
};

std::string contents(const std::string& path)
{
    std::ifstream file{path, std::ios::binary};
    if (!file)
        throw Error{Errc::not_found, "cannot read a file that is named"};
    return {std::istreambuf_iterator<char>{file}, {}};
}

template <class T>
T required(std::optional<T> value)
{
    if (!value)
        throw Error{Errc::bad_argument, "an argument is not well formed"};
    return *std::move(value);
}

token::Kind kind_of(const Options& options)
{
    if (!options.kind.empty())
        return required(token::kind_named(options.kind));
    return options.htm.empty() ? token::Kind::login : token::Kind::request;
}

std::vector<token::Feature> features_of(const Options& options)
{
    std::vector<token::Feature> features;
    for (const auto& text : options.features)
        features.push_back(required(token::Feature::parse(text)));
    if (features.empty())
        features.push_back(token::Feature::login());
    return features;
}

token::RequestBinding request_of(const Options& options, const token::Origin& origin)
{
    return required(
        token::RequestBinding::parse(origin, options.htm, options.htu, options.rid));
}

crypto::PrivateKey session_key_of(const Options& options)
{
    return crypto::PrivateKey::from_pem(contents(options.session_key)).value();
}

/// The session token in a file, without the line's end.
std::string token_in(const std::string& path)
{
    auto token = contents(path);
    while (token.ends_with('\n'))
        token.pop_back();
    return token;
}

std::string fresh_jti()
{
    return to_base64url(crypto::random_bytes(16));
}

token::CardClaims claims_of(const Options& options, const x509::Certificate& certificate)
{
    auto origin = required(token::Origin::parse(options.origin));
    const auto at = epoch_seconds(options.at);
    const auto kind = kind_of(options);
    std::optional<token::RequestBinding> request;
    std::optional<token::SessionClaims> session;
    if (kind == token::Kind::request)
        request = request_of(options, origin);
    if (kind == token::Kind::session) {
        session = token::SessionClaims{session_key_of(options).public_key(), options.limit, {}};
        if (options.previous)
            session->previous = token::token_hash(token_in(*options.previous));
    }
    const auto longest =
        kind == token::Kind::session ? token::max_session_lifetime : token::max_login_lifetime;
    return {.subject = x509::holder_of(certificate).value().id,
            .audience = std::move(origin),
            .nonce = required(token::Nonce::parse(options.nonce)),
            .jti = fresh_jti(),
            .issued_at = at,
            .expires_at = at + std::chrono::seconds{options.life.value_or(longest.count())},
            .auth_time = at,
            .features = kind == token::Kind::login ? std::vector{token::Feature::login()}
                                                   : features_of(options),
            .request = std::move(request),
            .session = std::move(session)};
}

void spoil(boost::json::object& object, const std::string& changes,
           const std::vector<std::string>& dropped)
{
    if (!changes.empty()) {
        const auto parsed = token::parse_json(changes, changes.size()).value();
        for (const auto& [name, value] : parsed.as_object())
            object[name] = value;
    }
    for (const auto& name : dropped)
        object.erase(name);
}

std::string spoilt_and_signed(forge::TokenDraft draft, const Options& options,
                              const crypto::PrivateKey& key)
{
    spoil(draft.header, options.set_header, options.drop_header);
    spoil(draft.claims, options.set_claims, options.drop_claims);
    return draft.sign(key);
}

/// A feature or revoke token.
std::string forge_with_session_key(const Options& options)
{
    const auto key = session_key_of(options);
    const auto origin = required(token::Origin::parse(options.origin));
    const token::SessionKeyTokens tokens{origin, key.public_key(),
                                         token_in(options.session_token)};
    if (kind_of(options) == token::Kind::revoke)
        return spoilt_and_signed(
            forge::TokenDraft::of_session_key(tokens.revoke_input(fresh_jti())), options, key);

    const auto at = epoch_seconds(options.at);
    token::FeatureClaims claims{
        at,
        at + std::chrono::seconds{options.life.value_or(token::feature_lifetime.count())},
        fresh_jti(),
        options.seq,
        features_of(options).front(),
        request_of(options, origin)};
    if (!options.nonce.empty())
        claims.nonce = required(token::Nonce::parse(options.nonce));
    return spoilt_and_signed(forge::TokenDraft::of_session_key(tokens.feature_input(claims)),
                             options, key);
}

std::string forge_with_card(const Options& options)
{
    const auto key = crypto::PrivateKey::from_pem(contents(options.card + "/auth.key")).value();
    const auto certificate =
        x509::Certificate::from_der(octets(contents(options.card + "/auth.der"))).value();
    const auto algorithm = options.alg == "PS256" ? crypto::SignatureAlgorithm::ps256
                                                  : crypto::SignatureAlgorithm::rs256;
    return spoilt_and_signed(
        forge::TokenDraft::good(claims_of(options, certificate), certificate.der(), algorithm),
        options, key);
}

std::string make_token(const Options& options)
{
    switch (kind_of(options)) {
    case token::Kind::feature:
    case token::Kind::revoke: return forge_with_session_key(options);
    case token::Kind::login:
    case token::Kind::session:
    case token::Kind::request: break;
    }
    return forge_with_card(options);
}

} // namespace

int main(int argc, char** argv)
{
    Options options;
    CLI::App app{"Makes a card's or a session key's token for tests."};
    app.add_option("--kind", options.kind, "default: request where --htm is given, else login")
        ->check(CLI::IsMember({"login", "session", "request", "feature", "revoke"}));
    app.add_option("--card", options.card, "Folder with auth.key and auth.der");
    app.add_option("--origin", options.origin)->required();
    app.add_option("--nonce", options.nonce, "of a feature token: only where given");
    app.add_option("--feature", options.features, "again for each feature of a session");
    app.add_option("--session-key", options.session_key,
                   "PEM file of the session's P-256 key: cnf.jwk of a session token, signer of "
                   "a feature or revoke token");
    app.add_option("--session-token", options.session_token,
                   "file with the session token, for a feature or revoke token");
    app.add_option("--prev", options.previous, "file with the session token that is renewed");
    app.add_option("--limit", options.limit, "lim of a session token")->capture_default_str();
    app.add_option("--seq", options.seq, "of a feature token")->capture_default_str();
    app.add_option("--htm", options.htm);
    app.add_option("--htu", options.htu);
    app.add_option("--rid", options.rid);
    app.add_option("--alg", options.alg)->check(CLI::IsMember({"RS256", "PS256"}));
    app.add_option("--at", options.at, "iat and auth_time; default: now");
    app.add_option("--life", options.life,
                   "exp - iat, seconds; default: the longest, for a feature token 30");
    app.add_option("--set-header", options.set_header, "JSON object of members to set");
    app.add_option("--set-claims", options.set_claims, "JSON object of members to set");
    app.add_option("--drop-header", options.drop_header, "member to leave out");
    app.add_option("--drop-claim", options.drop_claims, "member to leave out");
    CLI11_PARSE(app, argc, argv);

    try {
        std::cout << make_token(options) << '\n';
        return 0;
    } catch (const std::exception& e) {
        std::cerr << "cps-forge: " << e.what() << '\n';
        return 1;
    }
}
