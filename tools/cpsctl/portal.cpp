#include "agent_call.hpp"
#include "portal_commands.hpp"
#include "subcommand.hpp"
#include "vectors/vectors.hpp"

#include "display.hpp"
#include "runtime_dir.hpp"
#include "site_words.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

namespace cps::ctl {
namespace {

struct Options {
    AddOptions add;
    bool json = false;
};

boost::json::object to_json(const agent::Words& words)
{
    return {{"fr", words.fr}, {"en", words.en.empty() ? words.fr : words.en}};
}

boost::json::object to_json(const agent::Portal& portal, std::string_view by)
{
    boost::json::array features;
    for (const auto& [id, feature] : portal.features) {
        const bool session = feature.mode == agent::FeatureMode::session;
        boost::json::object one{{"id", id.str()},
                                {"label", to_json(feature.label)},
                                {"mode", session ? "session" : "card"}};
        if (session)
            one["limit"] = feature.limit;
        features.push_back(std::move(one));
    }
    return {{"origin", portal.origin.str()},
            {"name", to_json(portal.name)},
            {"registered_by", by},
            {"web_eid", portal.web_eid},
            {"features", std::move(features)}};
}

int list(const Options& options)
{
    const auto registered = read_registered(options.add.config);
    if (options.json) {
        boost::json::array list;
        for (const auto& [origin, portal] : registered.by_it.all())
            list.push_back(to_json(portal, "it"));
        for (const auto& [origin, portal] : registered.by_person.all())
            if (registered.by_it.find(origin) == nullptr)
                list.push_back(to_json(portal, "person"));
        std::cout << boost::json::serialize(boost::json::object{{"portals", std::move(list)}})
                  << '\n';
        return exit_done;
    }
    const bool fr = locale_language() == "fr";
    for (const auto& [origin, portal] : registered.by_it.all()) {
        print_portal(portal);
        std::cout << (fr ? "  (enregistré par le service informatique)\n"
                         : "  (registered by IT)\n");
    }
    for (const auto& [origin, portal] : registered.by_person.all()) {
        if (registered.by_it.find(origin) != nullptr)
            continue; // the agent passes it over, too
        print_portal(portal);
        std::cout << (fr ? "  (enregistré par vous)\n" : "  (registered by you)\n");
    }
    return exit_done;
}

} // namespace

Registered read_registered(const std::filesystem::path& config_file)
{
    std::vector<agent::ConfigProblem> problems;
    const auto config = agent::Config::load(config_file, problems);
    if (!config)
        throw AgentRefused{"bad_configuration",
                           problems.empty() ? config_file.string() : problems.front().str()};
    Registered registered{*config, {}, {}, {}};
    registered.by_it.load(config_file.parent_path() / "portals.d", config->allow_http_loopback,
                          problems);
    if (const auto own = agent::personal_config_dir(); !own.empty())
        registered.own = own / "portals.d";
    if (config->personal_portals && !registered.own.empty())
        registered.by_person.load(registered.own, config->allow_http_loopback, problems);
    for (const auto& problem : problems)
        std::cerr << problem.str() << '\n';
    return registered;
}

void print_portal(const agent::Portal& portal)
{
    const auto language = locale_language();
    const bool fr = language == "fr";
    std::cout << agent::for_display(portal.name.in(language), agent::Portals::max_name) << '\n'
              << agent::site_lines(portal.origin, language) << '\n';
    for (const auto& [id, feature] : portal.features) {
        std::cout << "  • "
                  << agent::for_display(feature.label.in(language), agent::Portals::max_label)
                  << " [" << id.str() << "] ";
        if (feature.mode == agent::FeatureMode::card)
            std::cout << (fr ? "(votre code à chaque fois)\n" : "(your code each time)\n");
        else
            std::cout << (fr ? "(jusqu'à " : "(up to ") << feature.limit
                      << (fr ? " fois par session)\n" : " times a session)\n");
    }
    if (portal.web_eid)
        std::cout << (fr ? "  • Vous identifier par Web eID\n"
                         : "  • Know who you are by Web eID\n");
}

/// One file a vector. A folder that holds others is left with them.
int write_vectors(const std::filesystem::path& folder)
{
    std::filesystem::create_directories(folder);
    for (const auto& vector : vectors::make()) {
        const auto path = folder / (std::string{vector.at("name").as_string()} + ".json");
        std::ofstream file{path};
        file << boost::json::serialize(vector) << '\n';
        if (!file.flush())
            throw Error{Errc::internal, "a vector cannot be written"};
    }
    return exit_done;
}

Run declare_portal(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared with the Run that we return
    options->add.config = "/etc/cps-agent/agent.toml";
    const auto adding = std::make_shared<bool>(false);
    const auto vectors = std::make_shared<std::string>();
    app.require_subcommand(1);
    app.add_option("--config", options->add.config,
                   "the agent's configuration; IT's portals.d lies beside it")
        ->capture_default_str();

    auto* add = app.add_subcommand("add", "Register a portal for yourself, after a look at it");
    add->fallthrough();
    add->footer(
        "Reads URL/.well-known/cps-portal.json and asks you, at a terminal, whether the\n"
        "portal may ask for your card. There is no way to say yes in advance.");
    add->add_option("URL", options->add.url, "the portal's origin, https://host[:port]")
        ->required();
    add->add_option("--ca", options->add.ca,
                    "PEM file of the authorities to trust instead of the system's")
        ->check(CLI::ExistingFile);
    add->add_option("--socket", options->add.socket,
                    "the agent's control socket ($XDG_RUNTIME_DIR/cps-agent/control.sock)");
    add->callback([adding] { *adding = true; });

    auto* list_app = app.add_subcommand("list", "The portals that may ask for the card");
    list_app->fallthrough();
    list_app->add_flag("--json", options->json, "one JSON object");

    auto* vectors_app =
        app.add_subcommand("vectors", "Write the test vectors of verifiers, as JSON");
    vectors_app->add_option("DIR", *vectors, "folder, made where it is not there")->required();
    return [options, adding, vectors] {
        if (!vectors->empty())
            return write_vectors(*vectors);
        return *adding ? add_portal(options->add) : list(*options);
    };
}

} // namespace cps::ctl
