#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace cps::pcsc {

/// A thread that no signal of the process is delivered to: in a host that is not ours its
/// handlers must not run on a thread of ours.
template <class Body>
std::thread quiet_thread(Body&& body)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct Restore {
        const sigset_t& mask;
        ~Restore() { pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
    } restore{before};
    return std::thread{std::forward<Body>(body)};
}

} // namespace cps::pcsc
