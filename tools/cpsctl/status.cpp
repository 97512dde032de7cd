#include "agent_call.hpp"
#include "subcommand.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <iostream>
#include <memory>

namespace cps::ctl {
namespace {

struct Options {
    std::string socket;
    bool json = false;
};

std::string_view text(const boost::json::value& value)
{
    return value.is_string() ? std::string_view{value.get_string()} : std::string_view{};
}

void print(const boost::json::object& status)
{
    std::cout << "agent    " << text(status.at("version"))
              << ", 127.0.0.1:" << status.at("port") << "\nmodule   "
              << text(status.at("module")) << "\npcscd    "
              << (status.at("service").as_bool() ? "running" : "absent") << "\ncard     "
              << text(status.at("card")) << '\n';
    if (const auto* const login = status.if_contains("login")) // older agents do not tell
        std::cout << "login    " << text(*login) << '\n';
    for (const auto& reader : status.at("readers").as_array())
        std::cout << "reader   " << text(reader.as_object().at("name")) << ": "
                  << text(reader.as_object().at("card")) << '\n';
    for (const auto& portal : status.at("portals").as_array())
        std::cout << "portal   " << text(portal.as_object().at("origin")) << " ("
                  << text(portal.as_object().at("name")) << ")\n";
    for (const auto& problem : status.at("problems").as_array())
        std::cout << "problem  " << text(problem) << '\n';
}

int run(const Options& options)
{
    const auto status = call_agent(options.socket.empty() ? default_socket() : options.socket,
                                   "GET", "/control/status");
    if (options.json)
        std::cout << boost::json::serialize(status) << '\n';
    else
        print(status);
    return exit_done;
}

} // namespace

Run declare_status(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared with the Run that we return
    app.add_option("--socket", options->socket,
                   "the agent's control socket ($XDG_RUNTIME_DIR/cps-agent/control.sock)");
    app.add_flag("--json", options->json, "one JSON object");
    return [options] { return run(*options); };
}

} // namespace cps::ctl
