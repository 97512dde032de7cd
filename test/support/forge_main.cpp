// cps-forge: makes a token with the key of a test card, as an agent would or spoilt on
// demand, for tests that are scripts. The token alone goes to standard output.
#include "cps/base/encoding.hpp"
#include "cps/crypto/random.hpp"
#include "cps/token/json.hpp"
#include "cps/x509/holder.hpp"
#include "support/token_forge.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

using namespace cps;

namespace {

struct Options {
    std::string card;
    std::string origin, nonce, feature, htm, htu, rid;
    std::string alg = "RS256";
    long long at = to_number(SystemClock{}.now());
    long long life = token::max_login_lifetime.count();
    std::string set_header, set_claims; // JSON objects
    std::vector<std::string> drop_header, drop_claims;
};

std::string contents(const std::string& path)
{
    std::ifstream file{path, std::ios::binary};
    if (!file)
        throw Error{Errc::not_found, "cannot read the card's key or certificate"};
    return {std::istreambuf_iterator<char>{file}, {}};
}

template <class T>
T required(std::optional<T> value)
{
    if (!value)
        throw Error{Errc::bad_argument, "an argument is not well formed"};
    return *std::move(value);
}

token::CardClaims claims_of(const Options& options, const x509::Certificate& certificate)
{
    auto origin = required(token::Origin::parse(options.origin));
    std::optional<token::RequestBinding> request;
    auto feature = token::Feature::login();
    if (!options.htm.empty()) {
        request = required(
            token::RequestBinding::parse(origin, options.htm, options.htu, options.rid));
        feature = required(token::Feature::parse(options.feature));
    }
    const auto at = epoch_seconds(options.at);
    return {.subject = x509::holder_of(certificate).value().id,
            .audience = std::move(origin),
            .nonce = required(token::Nonce::parse(options.nonce)),
            .jti = to_base64url(crypto::random_bytes(16)),
            .issued_at = at,
            .expires_at = at + std::chrono::seconds{options.life},
            .auth_time = at,
            .features = {std::move(feature)},
            .request = std::move(request)};
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

std::string forge(const Options& options)
{
    const auto key = crypto::PrivateKey::from_pem(contents(options.card + "/auth.key")).value();
    const auto certificate =
        x509::Certificate::from_der(octets(contents(options.card + "/auth.der"))).value();
    const auto algorithm = options.alg == "PS256" ? crypto::SignatureAlgorithm::ps256
                                                  : crypto::SignatureAlgorithm::rs256;

    auto draft =
        test::TokenDraft::good(claims_of(options, certificate), certificate.der(), algorithm);
    spoil(draft.header, options.set_header, options.drop_header);
    spoil(draft.claims, options.set_claims, options.drop_claims);
    return draft.sign(key);
}

} // namespace

int main(int argc, char** argv)
{
    Options options;
    CLI::App app{"Makes a card's token for tests; a request token where --htm is given."};
    app.add_option("--card", options.card, "Folder with auth.key and auth.der")->required();
    app.add_option("--origin", options.origin)->required();
    app.add_option("--nonce", options.nonce)->required();
    app.add_option("--feature", options.feature);
    app.add_option("--htm", options.htm);
    app.add_option("--htu", options.htu);
    app.add_option("--rid", options.rid);
    app.add_option("--alg", options.alg)->check(CLI::IsMember({"RS256", "PS256"}));
    app.add_option("--at", options.at, "iat and auth_time; default: now");
    app.add_option("--life", options.life, "exp - iat, seconds");
    app.add_option("--set-header", options.set_header, "JSON object of members to set");
    app.add_option("--set-claims", options.set_claims, "JSON object of members to set");
    app.add_option("--drop-header", options.drop_header, "member to leave out");
    app.add_option("--drop-claim", options.drop_claims, "member to leave out");
    CLI11_PARSE(app, argc, argv);

    try {
        std::cout << forge(options) << '\n';
        return 0;
    } catch (const std::exception& e) {
        std::cerr << "cps-forge: " << e.what() << '\n';
        return 1;
    }
}
