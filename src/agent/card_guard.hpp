#pragma once

#include "cps/base/child_process.hpp"

#include <sys/types.h>

#include <string>
#include <vector>

namespace cps::agent {

/// Exists while a PIN is on its way to the card and until the card is reset. Should the agent
/// die meanwhile, cps-agent-guard ends the worker and resets the card in our place.
class CardGuard {
public:
    /// The guard stands when this returns. @param readers PC/SC names. @param worker a child of
    /// ours that was not reaped. @throws Error: then no PIN may be sent.
    CardGuard(const std::vector<std::string>& readers, pid_t worker);

private:
    ChildProcess guard_; // killed when we go: the card is left unverified
};

} // namespace cps::agent
