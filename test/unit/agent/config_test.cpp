#include "broker_link.hpp"
#include "config.hpp"
#include "portals.hpp"

#include "cps/broker/protocol.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

using namespace cps;
using namespace cps::agent;

namespace {

/// A folder of our own that goes with the test.
class Folder {
public:
    Folder()
    {
        char name[] = "/tmp/cps-config-XXXXXX";
        path_ = ::mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path write(const char* name, const std::string& text) const
    {
        std::ofstream{path_ / name} << text;
        ::chmod((path_ / name).c_str(), 0644);
        return path_ / name;
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

std::optional<Config> load(const std::string& text, std::vector<ConfigProblem>& problems)
{
    const Folder folder;
    return Config::load(folder.write("agent.toml", text), problems);
}

const std::string programs = "module = \"/bin/true\"\npinentry_program = \"/bin/false\"\n";

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("a configuration with the two programs has the documented defaults")
    {
        std::vector<ConfigProblem> problems;

        const auto config = load(programs, problems);

        REQUIRE(config);
        CHECK(problems.empty());
        CHECK(config->unknown_origins == UnknownOrigins::deny);
        CHECK(config->session_idle == std::chrono::hours{1});
        CHECK(config->session_max == std::chrono::hours{4});
        CHECK_FALSE(config->allow_http_loopback);
    }

    TEST_CASE("a bad line is told with its number and its reason, and the rest is used")
    {
        std::vector<ConfigProblem> problems;

        const auto config =
            load(programs + "unknown_origins = \"allow\"\nsession_idle = \"0m\"\nlanguag = 1\n",
                 problems);

        REQUIRE(config);
        REQUIRE(problems.size() == 3);
        CHECK(problems[0].line == 3);
        CHECK(problems[0].reason == R"(unknown_origins: must be one of "deny" "login")");
        CHECK(problems[1].line == 4);
        CHECK(problems[2].str().ends_with(":5: languag: is not a setting; check its spelling"));
    }

    TEST_CASE("consents last 90 days, or as many as the configuration says up to a year")
    {
        const auto days = [](const std::string& line) {
            std::vector<ConfigProblem> problems;
            const auto config = load(programs + line, problems);
            return problems.empty() ? config->consent_days.count() : -1;
        };

        CHECK(days("") == 90);
        CHECK(days("consent_days = 0") == 0);
        CHECK(days("consent_days = 365") == 365);
        CHECK(days("consent_days = 366") == -1);
        CHECK(days("consent_days = -1") == -1);
    }

    TEST_CASE(
        "the broker is the package's where there is one, or where it is said to be, or off")
    {
        const auto socket = [](const std::string& line) {
            std::vector<ConfigProblem> problems;
            const auto config = load(programs + line, problems);
            return problems.empty() ? broker_socket(*config).string() : problems[0].reason;
        };
        std::error_code ec;
        const bool there = std::filesystem::is_socket(broker::default_socket, ec);

        CHECK(socket("") == (there ? broker::default_socket : ""));
        CHECK(socket("broker = \"auto\"") == socket(""));
        CHECK(socket("broker = \"off\"").empty());
        CHECK(socket("broker = \"/run/mine.sock\"") == "/run/mine.sock");
        for (const auto* const bad : {"\"mine.sock\"", "\"\"", "\"on\"", "true"})
            CHECK(socket(std::string{"broker = "} + bad).starts_with("broker: "));
    }

    TEST_CASE("a program that is relative, missing or writable by others is not run")
    {
        const Folder folder;
        const auto open_file = folder.write("module.so", "");
        ::chmod(open_file.c_str(), 0666);
        const auto good_file = folder.write("good.so", "");

        CHECK_FALSE(unsafe_reason("true").empty());
        CHECK_FALSE(unsafe_reason("/nonexistent").empty());
        CHECK_FALSE(unsafe_reason("/tmp").empty());
        CHECK_FALSE(unsafe_reason(open_file).empty());
        CHECK(unsafe_reason(good_file).empty());
        ::chmod(folder.path().c_str(), 0777);
        CHECK_FALSE(unsafe_reason(good_file).empty());
    }

    TEST_CASE("without a module that is safe to load there is no agent")
    {
        std::vector<ConfigProblem> problems;

        CHECK_FALSE(load("pinentry_program = \"/bin/true\"\nmodule = \"cps.so\"\n", problems));
        CHECK_FALSE(load("module = \n", problems));
        CHECK_FALSE(load("module = 1\npinentry_program = \"/bin/true\"\n", problems));
        REQUIRE(problems.size() == 3);
        CHECK(problems[0].str().ends_with(":2: module: must be an absolute path"));
        CHECK(problems[1].line == 1);
        CHECK(problems[2].reason == "module: must be a text in quotes");
    }

    TEST_CASE("a portal file gives its features and their words")
    {
        Portals portals;
        std::vector<ConfigProblem> problems;

        portals.load(std::string{CPS_TEST_FILES} + "/portals.d", true, problems);

        CHECK(problems.empty());
        const auto* const portal =
            portals.find(*token::Origin::parse("https://amelipro.example"));
        REQUIRE(portal != nullptr);
        const auto& read = portal->features.at(*token::Feature::parse("infopatient.read"));
        CHECK(read.mode == FeatureMode::session);
        CHECK(read.limit == 200);
        CHECK(read.label.in("en") == "Look up a patient's rights");
        CHECK(portal->features.at(*token::Feature::parse("infopatient.export")).mode ==
              FeatureMode::card);
    }

    TEST_CASE("a portal whose name or label could not be shown whole is refused")
    {
        const Folder folder;
        const auto problems_of = [&](const std::string& name, const std::string& label) {
            folder.write("one.toml", "origin = \"https://one.example\"\nname = { fr = \"" +
                                         name +
                                         "\" }\n[[feature]]\nid = \"a\"\nmode = \"card\"\n" +
                                         "label = { fr = \"" + label + "\" }\n");
            Portals portals;
            std::vector<ConfigProblem> problems;
            portals.load(folder.path(), false, problems);
            return problems.size();
        };

        CHECK(problems_of(std::string(60, 'n'), std::string(120, 'l')) == 0);
        CHECK(problems_of(std::string(61, 'n'), "l") != 0);
        CHECK(problems_of("n", std::string(121, 'l')) != 0);
        CHECK(problems_of("n\u202E", "l") != 0);
    }

    TEST_CASE("a loopback portal over http wants allow_http_loopback")
    {
        Portals portals;
        std::vector<ConfigProblem> problems;

        portals.load(std::string{CPS_TEST_FILES} + "/portals.d", false, problems);

        CHECK(problems.size() == 1);
        CHECK(portals.all().size() == 1);
    }

    TEST_CASE("a portal whose file turned bad is kept, one whose file went is not")
    {
        const Folder folder;
        const auto write = [&](const char* name, const std::string& origin, const char* more) {
            folder.write(name, "origin = \"" + origin + "\"\nname = { fr = \"x\" }\n" + more);
        };
        write("bad.toml", "https://bad.example", "");
        write("gone.toml", "https://gone.example", "");
        write("moved.toml", "https://moved.example", "");
        write("plain.toml", "http://127.0.0.1:1", "");
        std::vector<ConfigProblem> problems;
        Portals portals;
        portals.load(folder.path(), true, problems);
        REQUIRE(problems.empty());
        const auto* const found = portals.find(*token::Origin::parse("https://bad.example"));
        write("bad.toml", "https://bad.example", "colour = 1\n");
        std::filesystem::remove(folder.path() / "gone.toml");
        write("moved.toml", "https://moved.example", "colour = 1\n");
        write("new.toml", "https://moved.example", "web_eid = true\n");
        write("plain.toml", "http://127.0.0.1:1", "colour = 1\n");

        Portals fresh;
        fresh.load(folder.path(), false, problems);
        fresh.keep(portals, problems, false);
        portals.replace(std::move(fresh));

        CHECK(portals.all().size() == 2);
        CHECK(portals.find(*token::Origin::parse("https://bad.example")) != nullptr);
        CHECK(portals.find(*token::Origin::parse("https://moved.example"))->web_eid);
        CHECK(portals.replaced() == 1);
        CHECK(found->name.fr == "x"); // what was found before is there still
    }

    TEST_CASE("the log's level is notice, or what the configuration says")
    {
        const auto level = [](const std::string& line) {
            std::vector<ConfigProblem> problems;
            const auto config = load(programs + line, problems);
            return problems.empty() ? config->log_level : log::Level{};
        };

        CHECK(level("") == log::Level::notice);
        CHECK(level("log_level = \"error\"") == log::Level::error);
        CHECK(level("log_level = \"debug\"") == log::Level::debug);
        CHECK(level("log_level = \"loud\"") == log::Level{});
    }

    TEST_CASE("each bad portal file is told and left out; the good ones are used")
    {
        Portals portals;
        std::vector<ConfigProblem> problems;

        portals.load(std::string{CPS_TEST_FILES} + "/bad.d", false, problems);

        CHECK(portals.all().size() == 1);
        const auto told = [&](std::string_view file, unsigned line) {
            return std::ranges::any_of(problems, [&](const auto& problem) {
                return problem.file.ends_with(file) && problem.line == line;
            });
        };
        CHECK(told("misspelt.toml", 8));
        CHECK(told("origin.toml", 1));
        CHECK(told("redirect.toml", 3));
        CHECK(told("syntax.toml", 1));
    }
}
