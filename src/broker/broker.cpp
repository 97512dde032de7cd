#include "broker.hpp"

#include "cps/base/error.hpp"
#include "cps/base/log.hpp"
#include "cps/base/peer_user.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace cps::broker {
namespace {

// Taken from one socket at one wake-up, so that a flood leaves the others their turn.
constexpr int max_accepts = 16;
// While the process has no descriptor or memory left for a connection.
constexpr int rest_time = 100; // milliseconds

/// One connection, or none. `rest`: the next try would fail, too.
UniqueFd accept_one(int listener, bool& rest)
{
    UniqueFd accepted{accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!accepted)
        switch (errno) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM: rest = true; break;
        default: break; // none waits, or what befell it says nothing about the next
        }
    return accepted;
}

} // namespace

Broker::Broker(Inherited sockets) : sockets_{std::move(sockets)}, agents_{sockets_.port} {}

bool Broker::accept_agents()
{
    bool rest = false;
    for (int i = 0; i != max_accepts; ++i) {
        auto accepted = accept_one(sockets_.agents.get(), rest);
        if (!accepted)
            break;
        agents_.admit(std::move(accepted));
    }
    return !rest;
}

bool Broker::accept_browsers(int listener)
{
    bool rest = false;
    for (int i = 0; i != max_accepts; ++i) {
        auto accepted = accept_one(listener, rest);
        if (!accepted)
            break;
        if (const auto user = tcp_peer_user(accepted.get()))
            agents_.pass(*user, std::move(accepted));
        else
            log::info("closed a connection whose user is not known");
    }
    return !rest;
}

void Broker::run(int stop)
{
    bool resting = false;
    bool told = false; // once: it may last
    for (;;) {
        waiting_.assign(1, {stop, POLLIN, 0});
        agents_.wait_for(waiting_);
        const auto listeners = waiting_.size();
        if (!resting) {
            waiting_.push_back({sockets_.agents.get(), POLLIN, 0});
            for (const auto& browsers : sockets_.browsers)
                waiting_.push_back({browsers.get(), POLLIN, 0});
        }
        if (poll(waiting_.data(), waiting_.size(), resting ? rest_time : -1) < 0 &&
            errno != EINTR)
            throw Error{Errc::internal, "the sockets cannot be waited for", errno};
        if (waiting_.front().revents != 0)
            return;
        // Those who ended go first, so that nobody is taken for them.
        agents_.read_from(waiting_.data() + 1);
        bool good = true;
        for (auto i = listeners; i != waiting_.size(); ++i) {
            if (waiting_[i].revents == 0)
                continue;
            good =
                (waiting_[i].fd == sockets_.agents.get() ? accept_agents()
                                                         : accept_browsers(waiting_[i].fd)) &&
                good;
        }
        if (!good && !std::exchange(told, true))
            log::warning("no descriptor is left for a new connection");
        resting = !good;
    }
}

} // namespace cps::broker
