#include "accepted_json.hpp"
#include "judgement.hpp"
#include "subcommand.hpp"
#include "usage.hpp"

#include "cps/verify/verifier.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <vector>

namespace cps::ctl {
namespace {

using token::Kind;

constexpr std::size_t max_ca_file = 1024 * 1024; // octets: some 400 authorities

constexpr long long last_second = 253'402'300'799; // 9999-12-31, the last that X.509 knows

struct Options {
    std::string ca, origin, nonce, kind;
    std::string feature, htm, htu, rid;
    std::vector<std::string> session_tokens; ///< files, in the order in which they came
    std::string crl;
    unsigned limit = 0;
    bool fresh_nonce = false;
    std::optional<long long> at;
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

template <class T>
T required(std::optional<T> value, const char* complaint)
{
    if (!value)
        throw WrongUsage{complaint};
    return *std::move(value);
}

std::string without_line_end(std::string token)
{
    if (token.ends_with('\n'))
        token.pop_back();
    if (token.ends_with('\r'))
        token.pop_back();
    return token;
}

/// The token on standard input, without the line's end that `echo` adds.
std::string read_token()
{
    return without_line_end(read_all(std::cin, verify::max_token_size + 2));
}

std::string read_token_file(const std::string& path)
{
    std::ifstream file{path, std::ios::binary};
    if (!file)
        throw WrongUsage{"--session-token: cannot read " + path};
    return without_line_end(read_all(file, verify::max_token_size + 2));
}

std::filesystem::path read_crl_dir(const std::string& path)
{
    std::error_code ignored;
    if (!path.empty() && !std::filesystem::is_directory(path, ignored))
        throw WrongUsage{"--crl: " + path + " is not a folder"};
    return path;
}

verify::Expectation read_expectation(const Options& options, const token::Origin& origin)
{
    const bool bound = !options.feature.empty() || !options.htm.empty() ||
                       !options.htu.empty() || !options.rid.empty();
    verify::Expectation expected;
    expected.kind = options.kind.empty() ? (bound ? Kind::request : Kind::login)
                                         : token::kind_named(options.kind).value();
    const auto kind = expected.kind;
    if (bound != (kind == Kind::request || kind == Kind::feature))
        throw WrongUsage{"--feature, --htm, --htu and --rid describe the request of a request "
                         "or feature token"};
    if ((kind == Kind::feature || kind == Kind::revoke) && options.session_tokens.empty())
        throw WrongUsage{"--session-token is needed: it names the key of this token"};
    if ((kind == Kind::login || kind == Kind::request) && !options.session_tokens.empty())
        throw WrongUsage{"--session-token: a card signed this token, no session did"};
    if (options.fresh_nonce && kind != Kind::feature)
        throw WrongUsage{"--fresh-nonce is for a feature token"};
    if (options.limit != 0 && kind != Kind::session && kind != Kind::feature)
        throw WrongUsage{"--limit is for a session and its feature tokens"};
    expected.limit = options.limit;
    expected.fresh_nonce = options.fresh_nonce;
    if (!bound)
        return expected;

    expected.feature =
        required(token::Feature::parse(options.feature), "--feature is not well formed");
    expected.request =
        required(token::RequestBinding::parse(origin, options.htm, options.htu, options.rid),
                 "--htm, --htu and --rid do not describe a request to --origin");
    return expected;
}

int refuse(verify::Refusal why, const std::string& of_what, const Judgement& judgement)
{
    std::cerr << verify::code_of(why) << (of_what.empty() ? "" : " " + of_what) << '\n';
    if (why == verify::Refusal::revocation_unknown)
        for (const auto& list : judgement.refused_lists())
            std::cerr << "  " << list << '\n';
    return exit_refused;
}

int run(const Options& options)
{
    const auto origin =
        required(token::Origin::parse(options.origin), "--origin is not a canonical origin");
    const auto nonce =
        required(token::Nonce::parse(options.nonce), "--nonce is not 32 octets in base64url");
    const auto expected = read_expectation(options, origin);
    const auto kind = expected.kind;
    Judgement judgement{origin, read_trust(options.ca), options.at, read_crl_dir(options.crl)};

    std::vector<std::string> sessions;
    for (const auto& path : options.session_tokens)
        sessions.push_back(read_token_file(path));
    // Without a nonce of its own the token stands on the last session token's.
    const bool by_session =
        kind == Kind::revoke || (kind == Kind::feature && !options.fresh_nonce);
    if (by_session && nonce_said_by(sessions.back()) != nonce)
        return refuse(verify::Refusal::nonce_unknown, options.session_tokens.back(), judgement);
    for (std::size_t i = 0; i != sessions.size(); ++i)
        if (const auto verdict = judgement.take_session(sessions[i], options.limit); !verdict)
            return refuse(verdict.error(), options.session_tokens[i], judgement);

    const auto token = read_token();
    const auto verdict =
        by_session ? judgement.judge(token, expected) : judgement.judge(token, nonce, expected);
    if (!verdict)
        return refuse(verdict.error(), {}, judgement);
    std::cout << boost::json::serialize(to_json(*verdict)) << '\n';
    return exit_done;
}

} // namespace

Run declare_verify(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared by CLI11's callbacks and Run
    app.footer("Reads the token from standard input. Prints claims, holder and certificate as\n"
               "JSON and exits 0, or prints the refusal code on standard error and exits 1.\n"
               "The nonce counts as handed out at most 120 s before; of a feature or revoke\n"
               "token it is the one that its session token answers. Session tokens are judged\n"
               "at the time that they name. Any certificate policy is accepted; cards of type\n"
               "CPS and CPE, real and test ones.");
    app.add_option("--ca", options->ca, "PEM file of the issuing authorities to trust")
        ->required();
    app.add_option("--origin", options->origin, "The portal's origin, https://host[:port]")
        ->required();
    app.add_option("--nonce", options->nonce, "The nonce that the portal handed out")
        ->required();
    app.add_option("--kind", options->kind,
                   "Kind of token; default: request where one is described, else login")
        ->check(CLI::IsMember({"login", "session", "request", "feature", "revoke"}));
    app.add_option("--feature", options->feature, "The feature that the request needs");
    app.add_option("--htm", options->htm, "The request's method");
    app.add_option("--htu", options->htu, "The request's address without query");
    app.add_option("--rid", options->rid, "base64url SHA-256 of query, line feed and body");
    app.add_option("--session-token", options->session_tokens,
                   "File with the session token that the token stands on; again for each\n"
                   "renewal, in the order in which they were made")
        ->allow_extra_args(false);
    app.add_flag("--fresh-nonce", options->fresh_nonce,
                 "The feature token must carry --nonce itself");
    app.add_option("--limit", options->limit, "The portal's own limit on a session");
    app.add_option("--crl", options->crl,
                   "Folder of revocation lists (*.crl, *.der, *.pem); without it revocation\n"
                   "is not looked at");
    app.add_option("--at", options->at, "Seconds since 1970 to judge at; default: now")
        ->check(CLI::Range(0LL, last_second));
    return [options] { return run(*options); };
}

} // namespace cps::ctl
