#include "agent_call.hpp"
#include "subcommand.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <iostream>
#include <memory>

namespace cps::ctl {
namespace {

struct Options {
    std::string socket;
    bool json = false;
    bool unblock = false;
};

int run(const Options& options)
{
    const bool fr = locale_language() == "fr";
    const boost::json::object nothing;
    const auto answer =
        call_agent(options.socket.empty() ? default_socket() : options.socket, "POST",
                   options.unblock ? "/control/pin/unblock" : "/control/pin/change", &nothing);
    if (options.json)
        std::cout << boost::json::serialize(answer) << '\n';
    else if (options.unblock)
        std::cout << (fr ? "La carte est débloquée, avec son nouveau code porteur.\n"
                         : "The card is unlocked, with its new code.\n");
    else
        std::cout << (fr ? "Le code porteur est changé.\n" : "The card's code is changed.\n");
    return exit_done;
}

} // namespace

Run declare_pin(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared with the Run that we return
    app.footer(
        "The codes are typed in the agent's windows or on the reader's keypad, never here. "
        "Each is offered to the card once.");
    app.add_option("--socket", options->socket,
                   "the agent's control socket ($XDG_RUNTIME_DIR/cps-agent/control.sock)");
    app.add_flag("--json", options->json, "one JSON object");
    app.require_subcommand(1);
    app.add_subcommand("change", "Change the card's code: the present one, the new one twice")
        ->fallthrough();
    app.add_subcommand("unblock", "Unlock the card's code: the PUK, the new code twice")
        ->fallthrough()
        ->callback([options] { options->unblock = true; });
    return [options] { return run(*options); };
}

} // namespace cps::ctl
