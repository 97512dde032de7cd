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
    bool end = false;
    std::string id;
};

std::string text(const boost::json::object& object, std::string_view name)
{
    return std::string{object.at(name).as_string()};
}

std::string minutes(const boost::json::object& object, std::string_view name)
{
    return std::to_string(object.at(name).as_int64() / 60) + " min";
}

void print(const boost::json::object& answer)
{
    const auto& sessions = answer.at("sessions").as_array();
    if (sessions.empty())
        std::cout << "no session\n";
    for (const auto& entry : sessions) {
        const auto& session = entry.as_object();
        std::cout << text(session, "id") << "  " << text(session, "origin") << " ("
                  << text(session, "name") << ")\n          ";
        for (const auto& feature : session.at("features").as_array())
            std::cout << std::string_view{feature.as_string()} << ' ';
        std::cout << "\n          " << session.at("left") << " of " << session.at("limit")
                  << " look-ups left, open for " << minutes(session, "open_for")
                  << ", idle for " << minutes(session, "idle_for") << '\n';
    }
}

int run(const Options& options)
{
    const auto socket = options.socket.empty() ? default_socket() : options.socket;
    if (options.end) {
        boost::json::object body;
        if (!options.id.empty())
            body["id"] = options.id;
        const auto answer = call_agent(socket, "POST", "/control/sessions/end", &body);
        std::cout << answer.at("ended") << " ended\n";
        return exit_done;
    }
    const auto answer = call_agent(socket, "GET", "/control/sessions");
    if (options.json)
        std::cout << boost::json::serialize(answer) << '\n';
    else
        print(answer);
    return exit_done;
}

} // namespace

Run declare_sessions(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared by CLI11's callbacks and Run
    app.add_option("--socket", options->socket,
                   "the agent's control socket ($XDG_RUNTIME_DIR/cps-agent/control.sock)");
    app.add_flag("--json", options->json, "one JSON object");
    auto* const end = app.add_subcommand("end", "End one session, or all of them");
    end->add_option("ID", options->id, "as `cpsctl sessions` shows it; default: all");
    end->callback([options] { options->end = true; });
    return [options] { return run(*options); };
}

} // namespace cps::ctl
