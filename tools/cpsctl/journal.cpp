#include "agent_call.hpp"
#include "subcommand.hpp"
#include "usage.hpp"

#include "agent/journal_files.hpp"
#include "agent/runtime_dir.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <ctime>
#include <iostream>
#include <memory>

namespace cps::ctl {
namespace {

namespace json = boost::json;
using agent::JournalLine;

constexpr std::size_t shown_by_default = 20;

struct Options {
    std::string dir;
    std::size_t lines = shown_by_default;
    bool all = false;
    bool json = false;
    bool verify = false;
};

/// The person's own time.
std::string time_text(EpochSeconds time)
{
    const auto seconds = static_cast<std::time_t>(to_number(time));
    std::tm local{};
    char text[32]; // "2026-11-24 12:00:00" has 19
    if (::localtime_r(&seconds, &local) == nullptr)
        return std::to_string(seconds);
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local)};
}

std::string outcome_text(const std::string& outcome, std::string_view words)
{
    if (outcome == "done")
        return words == "fr" ? "fait" : "done";
    return outcome;
}

void print(const JournalLine& line, std::string_view words)
{
    const auto& entry = line.entry;
    std::cout << time_text(line.time) << "  " << words_of(entry.event, words);
    if (entry.count != 1)
        std::cout << " (" << entry.count << " ×)";
    if (!entry.origin.empty())
        std::cout << "  " << entry.origin;
    for (const auto& feature : entry.features)
        std::cout << ' ' << feature;
    std::cout << "  " << outcome_text(entry.outcome, words) << '\n';
}

void print_json(const agent::JournalReport& report, std::size_t first)
{
    json::array entries;
    for (auto i = first; i != report.lines.size(); ++i)
        entries.push_back(json::parse(to_text(report.lines[i])));
    json::object all{{"entries", std::move(entries)}, {"verified", !report.fault}};
    if (report.fault)
        all["fault"] = {{"file", report.fault->file},
                        {"line", report.fault->line},
                        {"reason", report.fault->reason}};
    if (report.head)
        all["head"] = {
            {"seq", report.head->seq}, {"hash", report.head->hash}, {"key", report.head->key}};
    std::cout << json::serialize(all) << '\n';
}

int run(const Options& options)
{
    const agent::JournalFiles files{options.dir.empty() ? agent::personal_state_dir()
                                                        : std::filesystem::path{options.dir}};
    if (files.dir.empty())
        throw WrongUsage{"neither XDG_STATE_HOME nor HOME is set; name the folder with --dir"};
    const auto report = check_journal(files);
    const std::string_view words = person_reads_french() ? "fr" : "en";
    const auto all = options.all || options.lines >= report.lines.size();
    const auto first = all ? 0 : report.lines.size() - options.lines;

    if (options.json)
        print_json(report, first);
    else if (!options.verify)
        for (auto i = first; i != report.lines.size(); ++i)
            print(report.lines[i], words);

    if (report.fault) {
        std::cerr << "journal_broken " << report.fault->str() << '\n';
        return exit_refused;
    }
    if (options.verify && !options.json) {
        const auto count = std::to_string(report.lines.size());
        std::cout << (words == "fr" ? "intact : " + count + " ligne(s)"
                                    : "intact: " + count + " line(s)");
        if (report.head)
            std::cout << ", " << report.head->seq << ' ' << report.head->hash;
        std::cout << '\n';
    }
    return exit_done;
}

} // namespace

Run declare_journal(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared with the Run that we return
    app.add_option("-n", options->lines, "the last N events, newest last")
        ->capture_default_str();
    app.add_flag("--all", options->all, "every event");
    app.add_flag("--json", options->json, "one JSON object");
    app.add_flag("--verify", options->verify, "only check that it holds together");
    app.add_option(
        "--dir", options->dir,
        "the journal's folder ($XDG_STATE_HOME/cps-agent or ~/.local/state/cps-agent)");
    return [options] { return run(*options); };
}

} // namespace cps::ctl
