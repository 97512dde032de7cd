#pragma once

#include "cps/base/error.hpp"
#include "cps/base/unique_handle.hpp"

#include <atomic>
#include <optional>

namespace cps::agent {

/// Tells a job that blocks in poll(2) to stop, and why. Thread-safe; once signalled, it stays.
class Cancel {
public:
    /// @throws Error internal with errno.
    Cancel();
    /// The first reason stands.
    void signal(Errc reason) noexcept;
    /// Readable once signalled.
    int fd() const noexcept { return event_.get(); }
    std::optional<Errc> reason() const noexcept;

private:
    UniqueFd event_;
    std::atomic<int> reason_{-1};
};

} // namespace cps::agent
