#include "agent_call.hpp"
#include "examination.hpp"
#include "subcommand.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>

namespace cps::ctl {
namespace {

struct Options {
    std::string config = "/etc/cps-agent/agent.toml";
    std::string socket;
    bool json = false;
};

std::string_view name_of(Severity severity)
{
    switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::hint: return "hint";
    }
    return "";
}

void print_json(const std::vector<Finding>& findings, bool french)
{
    boost::json::array list;
    for (const auto& finding : findings) {
        const auto& row = row_of(finding.fault);
        list.push_back(boost::json::object{{"id", row.id},
                                           {"severity", name_of(row.severity)},
                                           {"subject", finding.subject},
                                           {"what", french ? row.what_fr : row.what_en},
                                           {"remedy", french ? row.remedy_fr : row.remedy_en}});
    }
    std::cout << boost::json::serialize(boost::json::object{{"findings", std::move(list)}})
              << '\n';
}

void print_words(const std::vector<Finding>& findings, bool french)
{
    for (const auto& finding : findings) {
        const auto& row = row_of(finding.fault);
        std::cout << row.id << ": " << (french ? row.what_fr : row.what_en) << '\n';
        if (!finding.subject.empty())
            std::cout << "    " << finding.subject << '\n';
        std::cout << "  → " << (french ? row.remedy_fr : row.remedy_en) << "\n\n";
    }
    if (findings.empty())
        std::cout << (french ? "Tout va bien.\n" : "All is well.\n");
}

int run(const Options& options)
{
    const auto findings =
        examine({options.config, options.socket.empty() ? default_socket() : options.socket});
    const bool french = person_reads_french();
    if (options.json)
        print_json(findings, french);
    else
        print_words(findings, french);

    const auto is_fault = [](const Finding& one) {
        return row_of(one.fault).severity != Severity::hint;
    };
    const auto first = std::ranges::find_if(findings, is_fault);
    if (first == findings.end())
        return exit_done;
    std::cerr << row_of(first->fault).id << '\n';
    return exit_refused;
}

} // namespace

Run declare_doctor(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared with the Run that we return
    app.add_option("--config", options->config, "agent.toml; portals.d lies beside it")
        ->capture_default_str();
    app.add_option("--socket", options->socket,
                   "the agent's control socket ($XDG_RUNTIME_DIR/cps-agent/control.sock)");
    app.add_flag("--json", options->json, "one JSON object, for tools");
    return [options] { return run(*options); };
}

} // namespace cps::ctl
