#include "consent_words.hpp"

#include <algorithm>

namespace cps::agent {

std::string feature_details(const AskedFor& asked, const PortalFeature& feature)
{
    if (asked.wording != Wording::full)
        return {};
    const bool fr = asked.language != "en";
    switch (feature.mode) {
    case FeatureMode::card:
        return fr ? " (votre code est demandé à chaque fois)"
                  : " (your code is asked for each time)";
    case FeatureMode::session: return {}; // its limit is said once, for the session
    }
    return {};
}

std::string disclosure(const AskedFor& asked)
{
    const bool fr = asked.language != "en";
    // The line of the login feature says it already.
    const bool said = std::ranges::any_of(
        asked.features, [](const token::Feature& feature) { return feature.is_login(); });
    if (asked.wording == Wording::brief || said)
        return {};
    if (asked.wording == Wording::terse)
        return fr ? "\nLe site reçoit votre identité." : "\nThe site receives your identity.";
    return fr ? "\nLe site reçoit votre nom, votre identifiant national et le numéro de votre "
                "carte."
              : "\nThe site receives your name, your national identifier and your card's "
                "number.";
}

std::string closing_words(const AskedFor& asked)
{
    const bool fr = asked.language != "en";
    const std::string how = asked.at_keypad
                                ? (fr ? "acceptez, puis tapez votre code sur le lecteur."
                                      : "say so, then type your code on the reader.")
                                : (fr ? "tapez votre code porteur." : "type your card's code.");
    if (asked.wording == Wording::brief)
        return (fr ? "\n\nVous avez déjà donné cet accord. Pour le donner encore, "
                   : "\n\nYou agreed to this before. To agree again, ") +
               how;
    if (asked.wording == Wording::terse)
        return (fr ? "\n\nPour accepter, " : "\n\nTo agree, ") + how;
    const auto words = (fr ? "\n\nSi vous êtes d'accord, " : "\n\nIf you agree, ") + how;
    if (asked.remembered_days == 0)
        return words;
    const auto days = std::to_string(asked.remembered_days);
    return words + (fr ? " Accord retenu " + days +
                             " jours : fenêtre plus courte, code toujours demandé."
                       : " Remembered for " + days +
                             " days: a shorter window, your code all the same.");
}

} // namespace cps::agent
