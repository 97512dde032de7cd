#include "cps/pcsc/monitor.hpp"

#include "cps/base/log.hpp"
#include "cps/pcsc/watcher.hpp"

#include "quiet_thread.hpp"

#include <mutex>

namespace cps::pcsc {

struct Monitor::State {
    explicit State(std::function<void(const Snapshot&)> hear) : changed{std::move(hear)} {}
    void run();
    void tell(const Snapshot& seen);

    const std::function<void(const Snapshot&)> changed;
    Watcher watcher;
    mutable std::mutex mutex;
    Snapshot last; // under `mutex`
    std::thread thread;
};

void Monitor::State::tell(const Snapshot& seen)
{
    {
        const std::scoped_lock lock{mutex};
        last = seen;
    }
    changed(seen);
}

void Monitor::State::run()
{
    try {
        tell(watcher.now());
        while (!watcher.stopped())
            if (const auto seen = watcher.wait(); !watcher.stopped())
                tell(seen);
    } catch (const Error& e) {
        log::error(e);
    } catch (const std::exception&) {
        log::error("the reader monitor ended");
    }
}

Monitor::Monitor(std::function<void(const Snapshot&)> changed)
    : state_{std::make_unique<State>(std::move(changed))}
{
    state_->thread = quiet_thread([state = state_.get()] { state->run(); });
}

Monitor::~Monitor()
{
    state_->watcher.stop();
    state_->thread.join();
}

Snapshot Monitor::snapshot() const
{
    const std::scoped_lock lock{state_->mutex};
    return state_->last;
}

} // namespace cps::pcsc
