// cps-agent-broker: holds the agents' TCP port for everybody on the machine, so that nobody can
// take it from another, and passes each connection to the agent of the user it came from.
// Started by systemd with its sockets (cps-agent-broker.socket); takes no options.
//
// Exit code: 0 stopped, 1 failed, 2 wrong usage or sockets.
#include "broker.hpp"

#include "cps/base/error.hpp"
#include "cps/base/log.hpp"
#include "cps/base/unique_handle.hpp"

#include <sys/signalfd.h>

#include <csignal>
#include <iostream>
#include <string_view>

namespace {

constexpr int stopped = 0;
constexpr int failed = 1;
constexpr int wrong_usage = 2;

/// Readable once we are asked to end.
cps::UniqueFd end_signals()
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0)
        return {};
    return cps::UniqueFd{signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
}

} // namespace

int main(int argc, char** argv)
{
    using namespace cps;
    if (argc == 2 && std::string_view{argv[1]} == "--version") {
        std::cout << CPS_VERSION << '\n';
        return stopped;
    }
    if (argc != 1) {
        std::cerr
            << "usage: cps-agent-broker [--version]; systemd starts it, with its sockets\n";
        return wrong_usage;
    }
    try {
        const auto ends = end_signals();
        if (!ends)
            throw Error{Errc::internal, "signals cannot be waited for"};
        broker::Broker broker{broker::Inherited::take()};
        broker.run(ends.get());
        return stopped;
    } catch (const Error& e) {
        log::error(e);
        return e.code() == Errc::bad_argument ? wrong_usage : failed;
    } catch (const std::exception& e) {
        log::error(e.what());
        return failed;
    }
}
