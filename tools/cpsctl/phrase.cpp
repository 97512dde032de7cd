#include "agent_call.hpp"
#include "subcommand.hpp"
#include "usage.hpp"

#include "agent/phrase.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <unistd.h>

#include <array>
#include <iostream>
#include <memory>

namespace cps::ctl {
namespace {

constexpr std::size_t max_typed = 512; // octets of a line at the terminal

struct Options {
    bool json = false;
    bool choose = false;
    bool forget = false;
};

std::filesystem::path file()
{
    auto path = agent::phrase_file();
    if (path.empty())
        throw WrongUsage{"neither XDG_STATE_HOME nor HOME is set"};
    return path;
}

/// Whether there is one, never what it says: its place is the dialog.
int tell(const Options& options)
{
    const bool fr = locale_language() == "fr";
    const auto phrase = agent::read_phrase(file());
    if (!phrase)
        throw AgentRefused{"phrase_refused",
                           file().string() + ": " + phrase.error().what() +
                               "; choose another with `cpsctl phrase choose`"};
    const bool chosen = phrase->has_value();
    if (options.json)
        std::cout << boost::json::serialize(boost::json::object{{"chosen", chosen}}) << '\n';
    else if (chosen)
        std::cout << (fr ? "Une phrase est choisie. Une fenêtre qui ne la montre pas n'est pas "
                           "celle de l'agent.\n"
                         : "A phrase is chosen. A window that does not show it is not the "
                           "agent's.\n");
    else
        std::cout << (fr ? "Aucune phrase n'est choisie : « cpsctl phrase choose ».\n"
                         : "No phrase is chosen: `cpsctl phrase choose`.\n");
    return exit_done;
}

int choose()
{
    const bool fr = locale_language() == "fr";
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
        throw AgentRefused{"no_terminal", "a phrase is typed by a person at a terminal"};
    std::cout
        << (fr ? "Choisissez une phrase de 8 à 40 caractères, que vous reconnaîtrez et que "
                 "personne ne devine.\nJamais un code. Toutes les fenêtres de l'agent la "
                 "montreront.\nVotre phrase : "
               : "Choose a phrase of 8 to 40 characters that you will recognise and nobody "
                 "guesses.\nNever a code. All windows of the agent will show it.\n"
                 "Your phrase: ")
        << std::flush;
    std::array<char, max_typed> typed{};
    std::cin.getline(typed.data(), typed.size());
    if (std::cin.eof())
        throw AgentRefused{"consent_refused", "nothing was chosen"};
    const auto phrase = agent::as_phrase(std::cin ? typed.data() : std::string(max_typed, 'x'));
    if (!phrase)
        throw AgentRefused{"phrase_refused", phrase.error().what()};
    agent::write_phrase(file(), *phrase).value();
    std::cout << (fr ? "C'est noté.\n" : "Done.\n");
    return exit_done;
}

int forget()
{
    std::error_code ec;
    if (!std::filesystem::remove(file(), ec) && !ec)
        throw AgentRefused{"not_found", "no phrase is chosen"};
    if (ec)
        throw Error{Errc::internal, "the phrase's file cannot be removed", ec.value()};
    return exit_done;
}

} // namespace

Run declare_phrase(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared with the Run that we return
    app.footer("It is typed at the terminal, and shown in the agent's windows alone.");
    app.add_flag("--json", options->json, "one JSON object");
    app.add_subcommand("choose", "Type a phrase; it replaces the one before")
        ->callback([options] { options->choose = true; });
    app.add_subcommand("forget", "Have none any more")->callback([options] {
        options->forget = true;
    });
    app.require_subcommand(0, 1);
    return [options] {
        return options->choose ? choose() : options->forget ? forget() : tell(*options);
    };
}

} // namespace cps::ctl
