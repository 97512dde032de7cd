#pragma once

#include "cps/pcsc/snapshot.hpp"

#include <functional>
#include <memory>

namespace cps::pcsc {

/// Watches readers and cards on a thread of its own, asleep in SCardGetStatusChange until
/// something happens; survives pcscd's absence and restart.
class Monitor {
public:
    /// `changed` runs on the monitor's thread after each change of the snapshot, the first
    /// one included. It must not throw and must not destroy the monitor.
    explicit Monitor(std::function<void(const Snapshot&)> changed);
    ~Monitor();
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    /// Thread-safe.
    Snapshot snapshot() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace cps::pcsc
