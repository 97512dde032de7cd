#include "texts.hpp"

#include "consent_words.hpp"
#include "display.hpp"
#include "site_words.hpp"

#include <algorithm>

namespace cps::agent {
namespace {

constexpr std::size_t max_holder = 56;  // characters of a holder's name
constexpr std::size_t max_shown = 10;   // features listed; more are counted
constexpr std::size_t short_label = 24; // characters, where the room is scarce

std::string feature_line(const AskedFor& asked, const token::Feature& feature,
                         std::size_t label_size)
{
    const bool fr = asked.language != "en";
    if (feature.is_login() && asked.wording != Wording::full)
        return fr ? "vous identifier" : "know who you are";
    if (feature.is_login())
        return fr ? "vous identifier (votre nom, votre identifiant national et le numéro de "
                    "votre carte lui sont transmis)"
                  : "know who you are (your name, your national identifier and your card's "
                    "number are sent to it)";
    if (asked.portal != nullptr)
        if (const auto found = asked.portal->features.find(feature);
            found != asked.portal->features.end())
            return for_display(found->second.label.in(asked.language), label_size) +
                   feature_details(asked, found->second);
    return feature.str();
}

/// What agreeing to a session means beyond one request.
std::string session_line(const AskedFor& asked)
{
    if (asked.limit == 0)
        return {};
    const bool fr = asked.language != "en";
    const auto words =
        std::to_string(asked.limit) +
        (fr ? " consultations au plus sans autre code." : " look-ups without another code.");
    if (asked.wording == Wording::terse)
        return (fr ? "\n" : "\nAt most ") + words;
    return (fr ? "\nCarte en place : " : "\nCard in place: at most ") + words;
}

std::string who_asks(const AskedFor& asked)
{
    if (asked.portal != nullptr)
        return for_display(asked.portal->name.in(asked.language), Portals::max_name);
    return asked.language != "en" ? "Un site non enregistré" : "A site not registered";
}

/// What went wrong before, and the tries left where it is not all of them.
std::string tries_line(const AskedFor& asked)
{
    const bool fr = asked.language != "en";
    const auto tries = std::to_string(asked.tries_left);
    if (asked.before == AskedFor::Before::not_a_pin)
        return fr ? "Le code porteur a 4 chiffres. Aucun essai n'a été utilisé."
                  : "The card's code has 4 digits. No try was used.";
    if (asked.before == AskedFor::Before::wrong_pin)
        return fr ? "Code faux. Essais restants : " + tries + "."
                  : "Wrong code. Tries left: " + tries + ".";
    if (asked.tries_left < 3)
        return fr ? "Un code faux a déjà été saisi. Essais restants : " + tries + "."
                  : "A wrong code was entered before. Tries left: " + tries + ".";
    return {};
}

/// A dialog without an entry field shows no error: the words begin with it.
std::string first_words(const AskedFor& asked)
{
    auto line = asked.at_keypad ? tries_line(asked) : std::string{};
    return line.empty() ? line : line + "\n\n";
}

/// What is asked for: the first `shown` features by their labels, the others counted.
std::string feature_lines(const AskedFor& asked, std::size_t shown, std::size_t label_size)
{
    const bool fr = asked.language != "en";
    std::string lines;
    for (std::size_t i = 0; i != asked.features.size() && i != shown; ++i)
        lines += "\n  • " + feature_line(asked, asked.features[i], label_size);
    if (asked.features.size() > shown)
        lines += (fr ? "\n  • … et " : "\n  • … and ") +
                 std::to_string(asked.features.size() - shown) + (fr ? " de plus" : " more");
    return lines;
}

std::string consent_text(const AskedFor& asked, std::size_t shown,
                         std::size_t label_size = Portals::max_label)
{
    const bool fr = asked.language != "en";
    const auto name = who_asks(asked);
    return first_words(asked) + site_warnings(asked.origin, asked.resembles, asked.language) +
           (fr ? name + " demande, avec votre carte :" : name + " asks, with your card, to:") +
           feature_lines(asked, shown, label_size) + session_line(asked) + disclosure(asked) +
           "\n\n" + site_lines(asked.origin, asked.language) +
           (fr ? "\nCarte : " : "\nCard: ") + for_display(asked.holder, max_holder) +
           closing_words(asked);
}

/// Who asks, whose card, and the warnings are always said whole; the features are what gives
/// way, then what explains them, then the end of the only label that is left.
std::string shortened_text(AskedFor asked)
{
    const auto fits = [](std::string_view text) { return octets_shown(text) <= max_text; };
    asked.remembered_days = 0;
    for (auto shown = std::min(max_shown, asked.features.size()); shown > 1; --shown)
        if (auto text = consent_text(asked, shown); fits(text))
            return text;
    if (asked.wording == Wording::full)
        asked.wording = Wording::terse;
    if (auto text = consent_text(asked, 1); fits(text))
        return text;
    return consent_text(asked, 1, short_label);
}

} // namespace

Dialog pin_dialog(const AskedFor& asked)
{
    const bool fr = asked.language != "en";
    Dialog dialog;
    dialog.title = fr ? "Carte CPS : votre accord" : "CPS card: your consent";
    dialog.description = consent_text(asked, asked.features.size());
    dialog.whole =
        asked.features.size() <= max_shown && octets_shown(dialog.description) <= max_text;
    if (!dialog.whole)
        dialog.description = shortened_text(asked);
    if (!asked.at_keypad) {
        dialog.prompt = fr ? "Code :" : "Code:";
        dialog.error = tries_line(asked);
    }
    dialog.ok = fr ? "Accepter" : "Agree";
    dialog.cancel = fr ? "Refuser" : "Refuse";
    return dialog;
}

Dialog keypad_notice(const AskedFor& asked)
{
    const bool fr = asked.language != "en";
    Dialog dialog;
    dialog.title = fr ? "Carte CPS : clavier du lecteur" : "CPS card: the reader's keypad";
    const std::string what_for =
        asked.renewal ? (fr ? "poursuivre votre session avec " : "go on with your session at ")
                      : (fr ? "répondre à " : "answer ");
    dialog.description =
        (fr ? "Tapez votre code porteur sur le clavier du lecteur, pour "
            : "Type your card's code on the reader's keypad, to ") +
        what_for + who_asks(asked) + ".\n\n" + site_lines(asked.origin, asked.language) +
        (fr ? "\nCarte : " : "\nCard: ") + for_display(asked.holder, max_holder);
    dialog.ok = fr ? "Annuler" : "Cancel";
    return dialog;
}

Dialog last_try_dialog(const AskedFor& asked)
{
    const bool fr = asked.language != "en";
    Dialog dialog;
    dialog.title = fr ? "Carte CPS : dernier essai" : "CPS card: last try";
    dialog.description =
        fr ? "Il ne reste qu'un essai. Un code faux de plus bloque la carte de " +
                 for_display(asked.holder, max_holder) +
                 ", et seul son code de déblocage (PUK) la débloquera.\n\nUtiliser cet essai ?"
           : "One try is left. One more wrong code locks the card of " +
                 for_display(asked.holder, max_holder) +
                 ", and only its unlocking code (PUK) unlocks it.\n\nUse this try?";
    dialog.ok = fr ? "Utiliser le dernier essai" : "Use the last try";
    dialog.cancel = fr ? "Ne pas essayer" : "Do not try";
    return dialog;
}

} // namespace cps::agent
