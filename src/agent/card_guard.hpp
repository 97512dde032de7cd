#pragma once

#include "bench.hpp"
#include "card_checks.hpp"

#include "cps/base/child_process.hpp"
#include "cps/pkcs11_client/module.hpp"

#include <sys/types.h>

#include <concepts>
#include <string>
#include <string_view>
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

/// The one way in which a PIN is offered: `use(module)` does, to the card in that reader. It
/// may be verified from here to its reset, and a guard stands beside it meanwhile. The worker
/// ends first; our own module may have reset the card before it answered.
/// @throws Error when no guard can stand: nothing was offered.
template <std::invocable<pkcs11::Module&> Use>
auto with_guard(const Bench& bench, std::string_view slot_description, Use use)
{
    const auto readers = readers_called(slot_description, bench.presence);
    const CardGuard guard{readers, bench.module.worker_pid()};
    auto outcome = use(bench.module);
    bench.module.end();
    if (!bench.module.card_was_reset())
        reset_cards(readers);
    return outcome;
}

} // namespace cps::agent
