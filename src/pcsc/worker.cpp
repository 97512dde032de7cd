#include "cps/pcsc/worker.hpp"

#include "cps/base/error.hpp"

#include "quiet_thread.hpp"

#include <dlfcn.h>

#include <condition_variable>
#include <exception>
#include <mutex>

namespace cps::pcsc {
namespace {

/// A thread that is left behind must not return into memory that dlclose has unmapped.
void keep_loaded() noexcept
{
    Dl_info here{};
    if (::dladdr(reinterpret_cast<const void*>(&keep_loaded), &here) != 0)
        ::dlopen(here.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

} // namespace

struct Worker::State {
    using Time = std::chrono::steady_clock::time_point;

    void serve();
    void wait_for_work(std::unique_lock<std::mutex>& lock);

    std::mutex mutex;
    std::condition_variable wake; // of the thread
    std::condition_variable done; // of the caller
    std::function<void()> job;
    std::exception_ptr thrown;
    bool busy = false; // with `job`
    std::function<void()> idle;
    Time idle_at;
    bool stopping = false;
    bool forbidden = false;
    std::thread thread;
};

void Worker::State::wait_for_work(std::unique_lock<std::mutex>& lock)
{
    const auto called = [this] { return stopping || job != nullptr; };
    if (!idle) {
        wake.wait(lock, [&] { return called() || idle != nullptr; });
        return;
    }
    if (wake.wait_until(lock, idle_at, called))
        return;
    const auto due = std::exchange(idle, nullptr);
    lock.unlock();
    due();
    lock.lock();
}

void Worker::State::serve()
{
    std::unique_lock lock{mutex};
    while (!stopping) {
        wait_for_work(lock);
        if (job == nullptr)
            continue;
        idle = nullptr;
        auto now = std::exchange(job, nullptr);
        lock.unlock();
        std::exception_ptr failure;
        try {
            now();
        } catch (...) {
            failure = std::current_exception();
        }
        now = nullptr;
        lock.lock();
        thrown = failure;
        busy = false;
        done.notify_all();
    }
}

Worker::Worker(Threads threads) : state_{std::make_shared<State>()}
{
    state_->forbidden = threads == Threads::forbidden;
}

Worker::~Worker()
{
    {
        const std::scoped_lock lock{state_->mutex};
        state_->stopping = true;
        state_->idle = nullptr;
    }
    state_->wake.notify_all();
    if (state_->thread.joinable())
        state_->thread.join();
}

bool Worker::run_erased(std::chrono::milliseconds at_most, std::function<void()> job)
{
    if (state_->forbidden) {
        job();
        return true;
    }
    if (lost_)
        return false;
    std::unique_lock lock{state_->mutex};
    if (!state_->thread.joinable())
        state_->thread = quiet_thread([state = state_] { state->serve(); });
    state_->job = std::move(job);
    state_->busy = true;
    state_->wake.notify_all();
    if (!state_->done.wait_for(lock, at_most, [&] { return !state_->busy; })) {
        lost_ = true;
        state_->stopping = true;
        keep_loaded();
        state_->thread.detach();
        return false;
    }
    if (const auto failure = std::exchange(state_->thrown, nullptr))
        std::rethrow_exception(failure);
    return true;
}

void Worker::when_idle(std::chrono::milliseconds after, std::function<void()> idle)
{
    if (state_->forbidden || !state_->thread.joinable())
        return;
    const std::scoped_lock lock{state_->mutex};
    state_->idle = std::move(idle);
    state_->idle_at = std::chrono::steady_clock::now() + after;
    state_->wake.notify_all();
}

} // namespace cps::pcsc
