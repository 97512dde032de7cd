#pragma once

#include "bench.hpp"

#include "cps/base/error.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

namespace cps::agent {

/// What the person asks of the card's own code, by `cpsctl pin`.
struct PinTask {
    enum class Kind { change, unblock } kind = Kind::change;
    std::chrono::steady_clock::time_point received;
    std::string language; ///< "fr" or "en", of the dialogs
    std::stop_token gone; ///< the caller left: the dialog goes too
};

struct PinTaskOutcome {
    /// Errors: pin_wrong, pin_blocked, puk_wrong, puk_blocked, pin_cancelled, consent_refused,
    /// pin_timeout, pin_change_unsupported, and those of any look at a card.
    Result<void> done;
    std::optional<int> tries_left{}; ///< of the code that was asked for; 3 of a PUK: or more
    bool asked = false;              ///< a dialog was open
    bool offered = false;            ///< codes went to the card
};

/// Asks the person for the codes, offers them to the card once, and leaves the card unverified.
/// When the PIN was changed, or may have been, every session ends. Blocking; never throws.
PinTaskOutcome run_pin_task(const PinTask& task, const Bench& bench);

} // namespace cps::agent
