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
        return fr ? "\n\nLe site reçoit votre identité."
                  : "\n\nThe site receives your identity.";
    return fr ? "\n\nLe site reçoit votre nom, votre identifiant national et le numéro de "
                "votre "
                "carte."
              : "\n\nThe site receives your name, your national identifier and your card's "
                "number.";
}

std::string closing_words(const AskedFor& asked)
{
    const bool fr = asked.language != "en";
    if (asked.wording == Wording::brief)
        return fr ? "\n\nVous avez déjà donné cet accord. Pour le donner encore, tapez votre "
                    "code porteur."
                  : "\n\nYou agreed to this before. To agree again, type your card's code.";
    auto words = std::string{fr ? "\n\nSi vous êtes d'accord, tapez votre code porteur."
                                : "\n\nIf you agree, type your card's code."};
    if (asked.remembered_days == 0)
        return words;
    const auto days = std::to_string(asked.remembered_days);
    if (asked.wording == Wording::terse)
        return words +
               (fr ? " (Retenu " + days + " jours.)" : " (Remembered " + days + " days.)");
    return words + (fr ? " Votre accord sera retenu " + days +
                             " jours : la fenêtre sera alors plus courte, et votre code "
                             "toujours demandé."
                       : " It will be remembered for " + days +
                             " days: this window will be shorter then, and your code asked "
                             "for all the same.");
}

} // namespace cps::agent
