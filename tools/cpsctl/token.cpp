#include "agent_call.hpp"
#include "subcommand.hpp"
#include "usage.hpp"

#include "cps/base/clock.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/challenge.hpp"
#include "cps/token/json.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

namespace cps::ctl {
namespace {

struct Options {
    std::string socket, origin, nonce, challenge;
    std::string feature, htm, htu, rid;
};

std::string read_challenge(const std::string& path)
{
    std::ifstream file;
    if (path != "-")
        file.open(path, std::ios::binary);
    std::istream& stream = path == "-" ? std::cin : file;
    std::string text(token::Challenge::max_size + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (text.empty())
        throw WrongUsage{"--challenge: cannot read " + path};
    return text;
}

/// The portal's challenge, or one made of --nonce and --feature at this machine's time.
boost::json::value challenge_of(const Options& options)
{
    std::string json;
    if (!options.challenge.empty()) {
        json = read_challenge(options.challenge);
    } else {
        const auto nonce = token::Nonce::parse(options.nonce);
        if (!nonce)
            throw WrongUsage{"--nonce must be 32 octets as base64url"};
        const auto feature =
            token::Feature::parse(options.feature.empty() ? "login" : options.feature);
        if (!feature)
            throw WrongUsage{"--feature must be [a-z0-9._-], 1 to 64 characters"};
        json =
            token::Challenge{*nonce, SystemClock{}.now(), {*feature}, token::max_login_lifetime}
                .to_json();
    }
    auto parsed = token::parse_json(json, token::Challenge::max_size);
    if (!parsed || !parsed->is_object())
        throw WrongUsage{"--challenge is not a JSON object"};
    return std::move(*parsed);
}

int run(const Options& options)
{
    if (options.nonce.empty() == options.challenge.empty())
        throw WrongUsage{"name either --nonce or --challenge"};
    const bool request = !options.htm.empty() || !options.htu.empty() || !options.rid.empty();
    if (request && (options.htm.empty() || options.htu.empty() || options.rid.empty()))
        throw WrongUsage{"--htm, --htu and --rid go together"};
    if (!token::Origin::parse(options.origin))
        throw WrongUsage{
            "--origin must be https://host[:port], in lower case, without a slash"};

    boost::json::object body{{"origin", options.origin}, {"challenge", challenge_of(options)}};
    if (request) {
        body["htm"] = options.htm;
        body["htu"] = options.htu;
        body["rid"] = options.rid;
    }
    const auto answer = call_agent(options.socket.empty() ? default_socket() : options.socket,
                                   "POST", "/control/tokens", &body);
    std::cout << std::string_view{answer.at("token").as_string()} << '\n';
    return exit_done;
}

} // namespace

Run declare_token(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared with the Run that we return
    app.add_option("--origin", options->origin, "the portal's origin")->required();
    app.add_option("--nonce", options->nonce, "the portal's nonce");
    app.add_option("--challenge", options->challenge, "the portal's challenge: a file, or -");
    app.add_option("--feature", options->feature, "with --nonce: the feature (login)");
    app.add_option("--htm", options->htm, "the request's method");
    app.add_option("--htu", options->htu, "the request's address, without query");
    app.add_option("--rid", options->rid, "base64url SHA-256 of query, line feed, body");
    app.add_option("--socket", options->socket,
                   "the agent's control socket ($XDG_RUNTIME_DIR/cps-agent/control.sock)");
    return [options] { return run(*options); };
}

} // namespace cps::ctl
