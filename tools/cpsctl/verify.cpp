#include "accepted_json.hpp"
#include "subcommand.hpp"
#include "usage.hpp"

#include "cps/verify/verifier.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

namespace cps::ctl {
namespace {

using token::Kind;

constexpr std::size_t max_ca_file = 1024 * 1024; // octets: some 400 authorities

constexpr long long last_second = 253'402'300'799; // 9999-12-31, the last that X.509 knows

struct Options {
    std::string ca, origin, nonce, kind;
    std::string feature, htm, htu, rid;
    std::string session_token, crl;
    std::optional<long long> at;
};

/// The clock that the person sets with `--at`, or the machine's.
class ChosenClock final : public Clock {
public:
    explicit ChosenClock(std::optional<long long> at) noexcept : at_{at} {}
    EpochSeconds now() const override { return at_ ? epoch_seconds(*at_) : system_.now(); }
    std::chrono::steady_clock::time_point steady() const override { return system_.steady(); }

private:
    std::optional<long long> at_;
    SystemClock system_;
};

/// At most `limit` octets and one more, so that the caller can tell too much.
std::string read_all(std::istream& stream, std::size_t limit)
{
    std::string text(limit + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

x509::TrustStore read_trust(const std::string& path)
{
    std::ifstream file{path, std::ios::binary};
    if (!file)
        throw WrongUsage{"--ca: cannot read " + path};
    auto trust = x509::TrustStore::from_pem(read_all(file, max_ca_file));
    if (!trust)
        throw WrongUsage{"--ca: " + path + " is not a PEM file of certification authorities"};
    return *std::move(trust);
}

/// The token on standard input, without the line's end that `echo` adds.
std::string read_token()
{
    auto token = read_all(std::cin, verify::max_token_size + 2);
    if (token.ends_with('\n'))
        token.pop_back();
    if (token.ends_with('\r'))
        token.pop_back();
    return token;
}

template <class T>
T required(std::optional<T> value, const char* complaint)
{
    if (!value)
        throw WrongUsage{complaint};
    return *std::move(value);
}

void refuse_what_is_not_built(const Options& options, Kind kind)
{
    if (kind == Kind::session || kind == Kind::feature || !options.session_token.empty())
        throw WrongUsage{"this version verifies login and request tokens only"};
    if (!options.crl.empty())
        throw WrongUsage{"this version does not check revocation lists; verify without --crl"};
}

verify::Expectation read_expectation(const Options& options, const token::Origin& origin)
{
    const bool bound = !options.feature.empty() || !options.htm.empty() ||
                       !options.htu.empty() || !options.rid.empty();
    verify::Expectation expected;
    expected.kind = options.kind.empty() ? (bound ? Kind::request : Kind::login)
                                         : token::kind_named(options.kind).value();
    refuse_what_is_not_built(options, expected.kind);
    if (bound != (expected.kind == Kind::request))
        throw WrongUsage{"--feature, --htm, --htu and --rid belong to a request token"};
    if (!bound)
        return expected;

    expected.feature =
        required(token::Feature::parse(options.feature), "--feature is not well formed");
    expected.request =
        required(token::RequestBinding::parse(origin, options.htm, options.htu, options.rid),
                 "--htm, --htu and --rid do not describe a request to --origin");
    return expected;
}

int run(const Options& options)
{
    const auto origin =
        required(token::Origin::parse(options.origin), "--origin is not a canonical origin");
    const auto nonce =
        required(token::Nonce::parse(options.nonce), "--nonce is not 32 octets in base64url");
    const auto expected = read_expectation(options, origin);
    auto trust = read_trust(options.ca);
    const ChosenClock clock{options.at};

    // Nobody wrote down when this nonce was handed out: as long ago as is allowed.
    verify::MemoryStore store{clock};
    store
        .remember(nonce, {expected.session,
                          {expected.feature.value_or(token::Feature::login())},
                          clock.now() - verify::nonce_lifetime})
        .value();
    verify::Policy policy{.audience = origin, .certificate_policies = {}};
    const verify::Verifier verifier{std::move(policy), std::move(trust), store, clock};

    const auto verdict = verifier.verify(read_token(), expected);
    if (!verdict) {
        std::cerr << verify::code_of(verdict.error()) << '\n';
        return exit_refused;
    }
    std::cout << boost::json::serialize(to_json(*verdict)) << '\n';
    return exit_done;
}

} // namespace

Run declare_verify(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared by CLI11's callbacks and Run
    app.footer("Reads the token from standard input. Prints claims, holder and certificate as\n"
               "JSON and exits 0, or prints the refusal code on standard error and exits 1.\n"
               "The nonce counts as handed out at most 120 s before. Any certificate policy\n"
               "is accepted; cards of type CPS and CPE, real and test ones.");
    app.add_option("--ca", options->ca, "PEM file of the issuing authorities to trust")
        ->required();
    app.add_option("--origin", options->origin, "The portal's origin, https://host[:port]")
        ->required();
    app.add_option("--nonce", options->nonce, "The nonce that the portal handed out")
        ->required();
    app.add_option("--kind", options->kind,
                   "Kind of token; default: request where one is described, else login")
        ->check(CLI::IsMember({"login", "session", "request", "feature"}));
    app.add_option("--feature", options->feature, "The feature that the request needs");
    app.add_option("--htm", options->htm, "The request's method");
    app.add_option("--htu", options->htu, "The request's address without query");
    app.add_option("--rid", options->rid, "base64url SHA-256 of query, line feed and body");
    app.add_option("--session-token", options->session_token,
                   "File with the session token of a feature token (not in this version)");
    app.add_option("--crl", options->crl, "Folder of revocation lists (not in this version)");
    app.add_option("--at", options->at, "Seconds since 1970 to judge at; default: now")
        ->check(CLI::Range(0LL, last_second));
    return [options] { return run(*options); };
}

} // namespace cps::ctl
