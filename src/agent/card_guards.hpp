#pragma once

#include "cps/base/child_process.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cps::agent {

/// Should the agent die while a PIN is on its way to the card or the card is not reset yet,
/// cps-agent-guard ends the worker and resets the card in our place. One guard stands by ahead
/// of its use, as the worker does that it is for. The desk's thread.
class CardGuards {
public:
    /// A guard on duty. It is relieved when this goes: the card is left unverified.
    class Duty {
    public:
        Duty(CardGuards& guards, ChildProcess guard) : guards_{guards}, guard_{std::move(guard)}
        {
        }
        ~Duty() { guards_.relieve(std::move(guard_)); }
        Duty(const Duty&) = delete;
        Duty& operator=(const Duty&) = delete;

    private:
        CardGuards& guards_;
        ChildProcess guard_;
    };

    /// From the moment that this returns. @param readers PC/SC names. @param worker a child of
    /// ours that was not reaped. @throws Error: then no PIN may be sent.
    Duty stand(const std::vector<std::string>& readers, pid_t worker);
    /// Starts a guard for the readers of the last duty, unless there is one.
    void make_ready(pid_t worker) noexcept;
    /// Ends the guard that stands by, if any.
    void end() noexcept { ready_.reset(); }
    /// Reaps the guard that was relieved.
    void tidy() noexcept { relieved_.reset(); }

private:
    friend Duty;
    struct Ready {
        ChildProcess guard;
        pid_t worker;
    };
    void relieve(ChildProcess guard) noexcept;

    std::vector<std::string> readers_; ///< of the last duty, and of the guard that stands by
    std::optional<Ready> ready_;
    std::optional<ChildProcess> relieved_;
};

} // namespace cps::agent
