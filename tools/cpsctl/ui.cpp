#include "agent_call.hpp"
#include "subcommand.hpp"

#include "cps/base/error.hpp"

#include <CLI/CLI.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <memory>

namespace cps::ctl {
namespace {

struct Options {
    std::string socket;
    bool print = false;
};

/// Opens `url` in the person's browser (xdg-open of xdg-utils).
bool open_in_browser(std::string url)
{
    std::string program = "xdg-open";
    char* const arguments[] = {program.data(), url.data(), nullptr};
    pid_t child = 0;
    if (::posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments, environ) != 0)
        return false;
    int status = 0;
    while (::waitpid(child, &status, 0) == -1)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int run(const Options& options)
{
    const boost::json::object nothing;
    const auto answer = call_agent(options.socket.empty() ? default_socket() : options.socket,
                                   "POST", "/control/tickets", &nothing);
    const std::string url{answer.at("url").as_string()};
    if (options.print || !open_in_browser(url))
        std::cout << url << '\n';
    return exit_done;
}

} // namespace

Run declare_ui(CLI::App& app)
{
    const auto options = std::make_shared<Options>(); // shared with the Run that we return
    app.add_option("--socket", options->socket,
                   "the agent's control socket ($XDG_RUNTIME_DIR/cps-agent/control.sock)");
    app.add_flag("--print", options->print,
                 "print the address instead: it opens once, within a minute");
    return [options] { return run(*options); };
}

} // namespace cps::ctl
