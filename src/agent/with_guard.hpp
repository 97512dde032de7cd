#pragma once

#include "bench.hpp"
#include "card_checks.hpp"

#include <concepts>
#include <string_view>

namespace cps::agent {

/// The one way in which a PIN is offered: `use(module)` does, to the card in that reader. It
/// may be verified from here to its reset, and a guard stands beside it meanwhile. The worker
/// ends first; our own module may have reset the card before it answered.
/// @throws Error when no guard can stand: nothing was offered.
template <std::invocable<pkcs11::Module&> Use>
auto with_guard(const Bench& bench, std::string_view slot_description, Use use)
{
    const auto readers = readers_called(slot_description, bench.presence);
    const auto duty = bench.guards.stand(readers, bench.module.worker_pid());
    auto outcome = use(bench.module);
    bench.module.end();
    if (!bench.module.card_was_reset())
        reset_cards(readers);
    return outcome;
}

} // namespace cps::agent
