// cps-agent-guard [READER…]: on duty while a PIN is offered to the card in READER. The agent
// kills it once the card is left unverified. An agent that dies before, however it dies, closes
// its socket: then the guard ends the worker and resets the card. Not for people.
//
// Standard input: a socket to the agent, which sends one octet before it offers the PIN: until
// then the guard only stands by. Descriptor 3: a pidfd of the worker.

#include "cps/base/child_process.hpp"
#include "cps/base/log.hpp"
#include "cps/base/secret.hpp"
#include "cps/pcsc/card.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

using namespace cps;

namespace {

/// More than the agent needs for one PIN (old and new one at a keypad 85 s, farewell 2 s, reset
/// 3 s): an agent that stands still is as good as a dead one.
constexpr int longest_watch = 95'000; // milliseconds
/// Each waits 3 s for a program that holds the card; pcscd needs a moment, too, to see that
/// the worker has gone.
constexpr int max_resets = 3;
/// For a killed process to be gone.
constexpr int longest_end = 2'000; // milliseconds

/// False: the agent went without having offered a PIN.
bool put_on_duty()
{
    char octet = 0;
    return ::read(STDIN_FILENO, &octet, 1) == 1;
}

void end_worker()
{
    ::syscall(SYS_pidfd_send_signal, ChildProcess::handed_fd, SIGKILL, nullptr, 0);
    pollfd worker{ChildProcess::handed_fd, POLLIN, 0};
    ::poll(&worker, 1, longest_end);
}

void reset(const std::string& reader)
{
    auto outcome = pcsc::reset_card(reader);
    for (int tries = 1; tries != max_resets; ++tries)
        if (!outcome && outcome.error().code() == Errc::card_in_use)
            outcome = pcsc::reset_card(reader);
    if (!outcome && outcome.error().code() != Errc::no_card)
        log::error(outcome.error());
}

} // namespace

int main(int argc, char** argv)
try {
    // systemd and terminals send signals to us, too; only SIGKILL is meant.
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    forbid_dumps();
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

    if (!put_on_duty())
        return 0;
    pollfd agent{STDIN_FILENO, POLLIN, 0}; // which says nothing more
    ::poll(&agent, 1, longest_watch);
    end_worker();
    log::warning("the agent ended while a PIN was with the card, which is reset");
    for (int i = 1; i < argc; ++i)
        reset(argv[i]);
    return 0;
} catch (const std::exception&) {
    return 1;
}
