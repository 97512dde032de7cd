#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace cps::pcsc {

/// Runs jobs one after another on a thread of its own, because calls into pcscd have no
/// deadline: SCardConnect waits for another program's transaction, SCardTransmit for a mute
/// card. A job that misses its deadline is left behind with all that it owns, and the worker
/// is lost. So a job owns what it touches. One thread at a time calls it.
class Worker {
public:
    enum class Threads { allowed, forbidden };

    /// With `forbidden`, `run` calls the job itself, without a deadline, and `when_idle` does
    /// nothing: for hosts that let no library make threads.
    explicit Worker(Threads threads = Threads::allowed);
    /// Waits for a running idle job, not for a job left behind.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// What `job` returned; empty when it has missed its deadline. What it throws is thrown.
    template <class Job>
    auto run(std::chrono::milliseconds at_most, Job job)
        -> std::optional<std::invoke_result_t<Job>>
    {
        using Answer = std::invoke_result_t<Job>;
        auto answer = std::make_shared<std::optional<Answer>>();
        auto boxed = std::make_shared<Job>(std::move(job)); // std::function copies; jobs move
        if (!run_erased(at_most, [answer, boxed] { answer->emplace((*boxed)()); }))
            return std::nullopt;
        return std::move(*answer);
    }
    /// A job has missed its deadline: nothing runs here any more.
    bool lost() const noexcept { return lost_; }

    /// Runs `idle` on the worker's thread once, unless a job comes within `after`. It must not
    /// throw and owns what it touches.
    void when_idle(std::chrono::milliseconds after, std::function<void()> idle);

private:
    struct State;
    bool run_erased(std::chrono::milliseconds at_most, std::function<void()> job);
    std::shared_ptr<State> state_; // shared with the thread, which may outlive us
    bool lost_ = false;
};

} // namespace cps::pcsc
