#include "agent_call.hpp"
#include "date.hpp"
#include "subcommand.hpp"
#include "usage.hpp"

#include "cps/token/values.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <iostream>
#include <memory>

namespace cps::ctl {
namespace {

struct Options {
    std::string socket, origin;
    bool json = false;
    bool revoke = false;
    bool all = false;
};

std::string socket_of(const Options& options)
{
    return options.socket.empty() ? default_socket() : options.socket;
}

void print(const boost::json::object& consent)
{
    const bool fr = locale_language() == "fr";
    std::cout << std::string_view{consent.at("origin").as_string()} << ':';
    for (const auto& feature : consent.at("features").as_array())
        std::cout << ' ' << std::string_view{feature.as_string()};
    std::cout << (fr ? ", jusqu'au " : ", until ")
              << date_of(epoch_seconds(consent.at("until").as_int64()));
    if (!consent.at("valid").as_bool())
        std::cout << (fr ? " (à redonner : le portail a changé)"
                         : " (to be given again: the portal has changed)");
    std::cout << '\n';
}

int list(const Options& options)
{
    const auto answer = call_agent(socket_of(options), "GET", "/control/consents");
    if (options.json) {
        std::cout << boost::json::serialize(answer) << '\n';
        return exit_done;
    }
    for (const auto& consent : answer.at("consents").as_array())
        print(consent.as_object());
    return exit_done;
}

int revoke(const Options& options)
{
    if (options.all != options.origin.empty())
        throw WrongUsage{"name either an ORIGIN or --all"};
    boost::json::object body;
    if (options.all) {
        body["all"] = true;
    } else {
        if (!token::Origin::parse(options.origin))
            throw WrongUsage{
                "ORIGIN must be https://host[:port], in lower case, without a slash"};
        body["origin"] = options.origin;
    }
    const auto answer =
        call_agent(socket_of(options), "POST", "/control/consents/revoke", &body);
    const auto revoked = answer.at("revoked").as_int64();
    if (options.json)
        std::cout << boost::json::serialize(answer) << '\n';
    if (!options.all && revoked == 0)
        throw AgentRefused{"not_found", "no consent is remembered for " + options.origin};
    return exit_done;
}

} // namespace

Run declare_consents(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared with the Run that we return
    app.footer(
        "A remembered consent shortens the dialog's words. The code is asked for all the "
        "same.");
    app.add_option("--socket", options->socket,
                   "the agent's control socket ($XDG_RUNTIME_DIR/cps-agent/control.sock)");
    app.add_flag("--json", options->json, "one JSON object");
    auto* sub = app.add_subcommand("revoke", "Forget the consents of one origin, or all");
    sub->add_option("ORIGIN", options->origin, "the portal's origin");
    sub->add_flag("--all", options->all, "every consent");
    sub->fallthrough();
    sub->callback([options] { options->revoke = true; });
    return [options] { return options->revoke ? revoke(*options) : list(*options); };
}

} // namespace cps::ctl
