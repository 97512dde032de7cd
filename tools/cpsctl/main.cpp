#include "agent_call.hpp"
#include "cps/base/error.hpp"
#include "subcommand.hpp"
#include "usage.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <iostream>

namespace {

using namespace cps;
using namespace cps::ctl;

constexpr std::array subcommands{
    Subcommand{"cert", "The certificates of the card in the reader, in words", declare_cert},
    Subcommand{"consents", "The consents that are remembered; to revoke them",
               declare_consents},
    Subcommand{"portal", "The portals that may ask for the card; to add one", declare_portal},
    Subcommand{"doctor", "Find what keeps the card from working, and say what to do",
               declare_doctor},
    Subcommand{"journal",
               "What the agent did and refused, and whether its journal holds together",
               declare_journal},
    Subcommand{"phrase", "Choose the phrase that tells the agent's windows from others",
               declare_phrase},
    Subcommand{"pin", "Change the card's code, or unlock it with the PUK", declare_pin},
    Subcommand{"sessions", "The sessions that are open, what is left of them; end them",
               declare_sessions},
    Subcommand{"status", "What the agent of this session sees and is configured for",
               declare_status},
    Subcommand{"token", "A token from the card in the reader, with consent and PIN",
               declare_token},
    Subcommand{"ui", "Open the status page in the browser", declare_ui},
    Subcommand{"verify", "Judge a token as a portal would", declare_verify},
};

int run(const Run& chosen)
{
    try {
        return chosen();
    } catch (const WrongUsage& e) {
        std::cerr << "cpsctl: " << e.what() << '\n';
        return exit_usage;
    } catch (const AgentAbsent& e) {
        std::cerr << e.what() << '\n';
        return exit_absent;
    } catch (const AgentRefused& e) {
        std::cerr << e.code() << ' ' << e.what() << '\n';
        return exit_refused;
    } catch (const Error& e) {
        std::cerr << stable_code(e.code()) << ' ' << e.what() << '\n';
        return exit_refused;
    } catch (const std::exception& e) {
        std::cerr << "internal " << e.what() << '\n';
        return exit_refused;
    }
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app{"Asks and checks the smart-card agent of this session.", "cpsctl"};
    app.set_version_flag("--version", CPS_VERSION);
    app.require_subcommand(1);

    Run chosen;
    for (const auto& subcommand : subcommands) {
        auto* sub = app.add_subcommand(subcommand.name, subcommand.summary);
        sub->final_callback([&chosen, run = subcommand.declare(*sub)] { chosen = run; });
    }

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? exit_done : exit_usage;
    }
    return run(chosen);
}
