#pragma once

#include "cps/pcsc/snapshot.hpp"

#include <memory>

namespace cps::pcsc {

/// Looks at all readers, at once or until something changes. One thread calls `now` and
/// `wait`; any thread may call `stop`.
class Watcher {
public:
    /// @throws Error internal when the kernel has no descriptor left.
    Watcher();
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    /// What there is at this moment; does not wait. Without pcscd: `service` is false.
    Snapshot now();
    /// Sleeps until the snapshot differs from the one last returned, and returns the new one;
    /// without pcscd it sleeps until its socket appears. The same snapshot comes back only
    /// after `stop`.
    Snapshot wait();
    /// Ends the `wait` that is running and every later one. Returns when it has ended.
    void stop() noexcept;
    bool stopped() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace cps::pcsc
