#include "agent_call.hpp"
#include "portal_commands.hpp"
#include "portal_document.hpp"
#include "portal_fetch.hpp"
#include "portal_file.hpp"
#include "subcommand.hpp"
#include "usage.hpp"

#include "journal.hpp"
#include "private_file.hpp"
#include "runtime_dir.hpp"
#include "site_words.hpp"

#include "cps/base/clock.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>

namespace cps::ctl {
namespace {

constexpr std::string_view where = "/.well-known/cps-portal.json";
constexpr std::size_t max_word = 16; // characters of an answer at the terminal

token::Origin origin_of(const AddOptions& options, const agent::Config& config)
{
    const std::string_view url = options.url;
    const auto origin =
        token::Origin::parse(url.ends_with('/') ? url.substr(0, url.size() - 1) : url);
    if (!origin)
        throw WrongUsage{"URL must be https://host[:port], in lower case; an international "
                         "name in its xn-- form"};
    if (!origin->is_https() && !config.allow_http_loopback)
        throw AgentRefused{"origin_refused",
                           "http wants allow_http_loopback in " + options.config};
    return *origin;
}

/// What IT or the person decided before stands.
void refuse_what_stands(const Registered& registered, const token::Origin& origin)
{
    if (!registered.config.personal_portals)
        throw AgentRefused{"personal_portals_off",
                           "IT registers the portals of this machine (personal_portals)"};
    if (registered.own.empty())
        throw AgentRefused{"bad_configuration", "neither XDG_CONFIG_HOME nor HOME is set"};
    if (registered.by_it.find(origin) != nullptr)
        throw AgentRefused{"portal_registered", "IT has registered " + origin.str()};
    if (registered.by_person.find(origin) != nullptr &&
        !std::filesystem::exists(registered.own / file_name_of(origin)))
        throw AgentRefused{"portal_registered", "a file of your own registers " + origin.str()};
}

bool is_yes(std::string_view word)
{
    constexpr std::array<std::string_view, 8> words{"y", "Y", "yes", "Yes",
                                                    "o", "O", "oui", "Oui"};
    return std::ranges::find(words, word) != words.end();
}

/// At the terminal, where a person is. There is no other way.
void ask(bool known)
{
    const bool fr = locale_language() == "fr";
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
        throw AgentRefused{"no_terminal", "a portal is added by a person at a terminal"};
    if (known)
        std::cout << (fr ? "Vous l'avez déjà enregistré ; ceci le remplace.\n"
                         : "You have registered it before; this replaces it.\n");
    std::cout << (fr ? "Ce portail pourra demander votre carte ; votre code sera demandé à "
                       "chaque ouverture.\nL'enregistrer ? [o/N] "
                     : "This portal may then ask for your card; your code is asked for each "
                       "time it opens.\nRegister it? [y/N] ")
              << std::flush;
    std::array<char, max_word> word{};
    std::cin.getline(word.data(), word.size());
    if (!std::cin || !is_yes(word.data()))
        throw AgentRefused{"consent_refused", "nothing was registered"};
}

/// Lets the agent read its files anew; tells what else to do where it cannot.
void tell_agent(const AddOptions& options)
{
    const bool fr = locale_language() == "fr";
    try {
        const boost::json::object nothing;
        const auto answer =
            call_agent(options.socket.empty() ? default_socket() : options.socket, "POST",
                       "/control/reload", &nothing);
        if (!answer.at("reloaded").as_bool())
            throw Error{Errc::internal, "the agent's own configuration is bad"};
        std::cout << (fr ? "L'agent le connaît maintenant.\n" : "The agent knows it now.\n");
    } catch (const AgentAbsent&) {
        std::cout << (fr ? "L'agent le connaîtra à son démarrage.\n"
                         : "The agent will know it once it starts.\n");
    } catch (const std::exception&) {
        std::cout << (fr ? "Redémarrez l'agent pour qu'il le connaisse.\n"
                         : "Restart the agent, so that it knows it.\n");
    }
}

} // namespace

int add_portal(const AddOptions& options)
{
    const auto registered = read_registered(options.config);
    const auto origin = origin_of(options, registered.config);
    refuse_what_stands(registered, origin);

    const auto document = PortalFetch{options.ca}.get(origin.str() + std::string{where});
    const auto portal = read_portal_document(document);
    if (!portal)
        throw AgentRefused{"portal_invalid", portal.error().what()};
    if (portal->origin != origin)
        throw AgentRefused{"portal_invalid",
                           "the document is of another origin, " + portal->origin.str()};

    std::cout << agent::site_warnings(
        origin, agent::resembles_registered(origin, registered.by_it), locale_language());
    print_portal(*portal);
    const auto file = registered.own / file_name_of(origin);
    ask(std::filesystem::exists(file));
    agent::write_private_file(file, to_toml(*portal)).value();
    const SystemClock clock;
    (void)agent::Journal{agent::personal_state_dir(), clock}.write(
        {agent::Event::portal_added, origin.str(), {}, "done", 1});
    tell_agent(options);
    return exit_done;
}

} // namespace cps::ctl
