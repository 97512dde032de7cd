#pragma once

#include "pin_prompt.hpp"
#include "portals.hpp"

#include "cps/token/values.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cps::agent {

/// How much a consent dialog explains. The gesture is the same.
enum class Wording {
    full,  ///< the first time, and for whatever is never remembered
    brief, ///< the person agreed to the same thing not long ago
    terse, ///< the full one has no room
};

/// All that the dialogs of one request need to know.
struct AskedFor {
    std::string_view language; ///< "fr" or "en"
    token::Origin origin;
    const Portal* portal = nullptr; ///< null: an unknown origin
    std::vector<token::Feature> features;
    std::string holder; ///< names on the card
    int tries_left = 3;
    /// What was wrong with the entry just before, if anything.
    enum class Before { nothing, wrong_pin, not_a_pin } before = Before::nothing;
    unsigned limit = 0; ///< look-ups that a session may make; 0: no session
    Wording wording = Wording::full;
    unsigned remembered_days = 0; ///< full wording: this consent will be remembered; 0: not
    std::string resembles{};      ///< the registered origin that an unknown one looks like
    bool at_keypad = false;       ///< the code is typed on the reader, after the consent
    bool renewal = false;         ///< of a session that was agreed to
};

/// Consent and PIN in one dialog: who asks, for what, in words. Not `whole` where it has no
/// room for every feature: then it does not say either that the consent will be remembered.
/// For a keypad the consent alone, to be confirmed.
Dialog pin_dialog(const AskedFor& asked);
/// While the person types on the reader's own keypad: for whom, and whose card.
Dialog keypad_notice(const AskedFor& asked);
/// The explicit word before the last try.
Dialog last_try_dialog(const AskedFor& asked);

} // namespace cps::agent
