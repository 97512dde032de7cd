#pragma once

#include "pin_prompt.hpp"
#include "portals.hpp"

#include "cps/token/values.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cps::agent {

/// Makes text from a portal file or a certificate safe to show: control and bidirectional
/// characters, line and paragraph separators and invalid UTF-8 go; at most `max_characters`,
/// the cut shown by "…". pinentry-gtk2 and -qt would honour them.
std::string for_display(std::string_view text, std::size_t max_characters);

/// Octets of a dialog's words in a line to pinentry, where a line feed and % take three.
std::size_t octets_shown(std::string_view text);

/// Such octets of the words below the recognition phrase: an Assuan line has 1000, less
/// "SETDESC" and the phrase with its own words.
inline constexpr std::size_t max_text = 880;

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
};

/// Consent and PIN in one dialog: who asks, for what, in words.
Dialog pin_dialog(const AskedFor& asked);
/// The explicit word before the last try.
Dialog last_try_dialog(const AskedFor& asked);

} // namespace cps::agent
