#include "child_signals.hpp"

#include <csignal>
#include <utility>

namespace cps::agent {
namespace {

void mask(int how)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    pthread_sigmask(how, &child, nullptr);
}

} // namespace

ChildSignals::ChildSignals(boost::asio::io_context& io) : signals_{io, SIGCHLD}
{
    mask(SIG_BLOCK);
}

void ChildSignals::listen(std::function<void()> ended)
{
    ended_ = std::move(ended);
    mask(SIG_UNBLOCK);
    wait();
}

void ChildSignals::stop()
{
    ended_ = nullptr; // a signal that has been taken is on its way to us, past any cancel
    signals_.cancel();
}

void ChildSignals::wait()
{
    signals_.async_wait([this](const boost::system::error_code& error, int) {
        if (error || !ended_)
            return;
        ended_();
        wait();
    });
}

} // namespace cps::agent
