#pragma once

#include "pin_prompt.hpp"
#include "pin_task.hpp"

#include <string>
#include <string_view>

namespace cps::agent {

/// The dialogs of one PinTask, in their order.
enum class PinEntry { old_pin, puk, new_pin, new_pin_again };

struct PinAsk {
    PinTask::Kind kind = PinTask::Kind::change;
    std::string_view language;
    std::string_view holder; ///< names on the card
    int tries_left = 3;      ///< of the PIN or the PUK
    /// What was wrong with the entry just before, if anything.
    enum class Before { nothing, no_such_code, differ } before = Before::nothing;
};

Dialog entry_dialog(const PinAsk& ask, PinEntry entry);
/// The explicit word before the last try of the PIN or, to unblock, of the PUK.
Dialog last_try_dialog(const PinAsk& ask);
/// While the person types on the reader's own keypad.
Dialog keypad_notice(const PinAsk& ask);

} // namespace cps::agent
