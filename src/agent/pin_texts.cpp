#include "pin_texts.hpp"

#include "texts.hpp"

namespace cps::agent {
namespace {

constexpr std::size_t max_name = 60; // characters of a holder's name

bool in_french(const PinAsk& ask)
{
    return ask.language != "en";
}

std::string title(const PinAsk& ask)
{
    if (ask.kind == PinTask::Kind::change)
        return in_french(ask) ? "Carte CPS : changer le code porteur"
                              : "CPS card: change the code";
    return in_french(ask) ? "Carte CPS : débloquer le code porteur"
                          : "CPS card: unlock the code";
}

std::string whose(const PinAsk& ask)
{
    return (in_french(ask) ? "Carte : " : "Card: ") + for_display(ask.holder, max_name);
}

std::string_view what_to_type(const PinAsk& ask, PinEntry entry)
{
    const bool fr = in_french(ask);
    switch (entry) {
    case PinEntry::old_pin:
        return fr ? "Pour changer le code porteur de votre carte, tapez d'abord le code actuel."
                  : "To change your card's code, type the present code first.";
    case PinEntry::puk:
        return fr ? "Pour débloquer le code porteur de votre carte, tapez d'abord son code de "
                    "déblocage (PUK), à 8 chiffres."
                  : "To unlock your card's code, type its unlocking code (PUK) of 8 digits "
                    "first.";
    case PinEntry::new_pin:
        return fr ? "Choisissez le nouveau code porteur : 4 chiffres que personne ne devine."
                  : "Choose the card's new code: 4 digits that nobody guesses.";
    case PinEntry::new_pin_again:
        return fr ? "Tapez le nouveau code porteur une seconde fois."
                  : "Type the card's new code once more.";
    }
    return "";
}

std::string_view prompt(const PinAsk& ask, PinEntry entry)
{
    const bool fr = in_french(ask);
    switch (entry) {
    case PinEntry::old_pin: return fr ? "Code actuel :" : "Present code:";
    case PinEntry::puk: return "PUK :";
    case PinEntry::new_pin: return fr ? "Nouveau code :" : "New code:";
    case PinEntry::new_pin_again: return fr ? "Nouveau code :" : "New code:";
    }
    return "";
}

std::string error(const PinAsk& ask, PinEntry entry)
{
    const bool fr = in_french(ask);
    switch (ask.before) {
    case PinAsk::Before::no_such_code:
        if (entry == PinEntry::puk)
            return fr ? "Le code de déblocage a 8 chiffres. Aucun essai n'a été utilisé."
                      : "The unlocking code has 8 digits. No try was used.";
        return fr ? "Le code porteur a 4 chiffres. Aucun essai n'a été utilisé."
                  : "The card's code has 4 digits. No try was used.";
    case PinAsk::Before::differ:
        return fr ? "Les deux nouveaux codes sont différents. Rien n'a été envoyé à la carte."
                  : "The two new codes differ. Nothing was sent to the card.";
    case PinAsk::Before::nothing: break;
    }
    const bool for_a_try = entry == PinEntry::old_pin || entry == PinEntry::puk;
    if (!for_a_try || ask.tries_left >= 3)
        return {};
    const auto tries = std::to_string(ask.tries_left);
    return fr ? "Un code faux a déjà été saisi. Essais restants : " + tries + "."
              : "A wrong code was entered before. Tries left: " + tries + ".";
}

} // namespace

Dialog entry_dialog(const PinAsk& ask, PinEntry entry)
{
    const bool fr = in_french(ask);
    const bool last = entry == PinEntry::new_pin_again;
    Dialog dialog;
    dialog.title = title(ask);
    dialog.description = std::string{what_to_type(ask, entry)} + "\n\n" + whose(ask);
    dialog.prompt = prompt(ask, entry);
    dialog.error = error(ask, entry);
    if (!last)
        dialog.ok = fr ? "Continuer" : "Continue";
    else if (ask.kind == PinTask::Kind::change)
        dialog.ok = fr ? "Changer le code" : "Change the code";
    else
        dialog.ok = fr ? "Débloquer" : "Unlock";
    dialog.cancel = fr ? "Annuler" : "Cancel";
    return dialog;
}

Dialog last_try_dialog(const PinAsk& ask)
{
    const bool fr = in_french(ask);
    Dialog dialog;
    dialog.title = fr ? "Carte CPS : dernier essai" : "CPS card: last try";
    if (ask.kind == PinTask::Kind::change)
        dialog.description =
            fr ? "Il ne reste qu'un essai. Un code faux de plus bloque la carte, et seul son "
                 "code de déblocage (PUK) la débloquera."
               : "One try is left. One more wrong code locks the card, and only its unlocking "
                 "code (PUK) unlocks it.";
    else
        dialog.description =
            fr ? "Il ne reste qu'un essai du code de déblocage (PUK). S'il est faux, la carte "
                 "est bloquée définitivement : il faudra en demander une autre à l'ANS."
               : "One try of the unlocking code (PUK) is left. If it is wrong, the card is "
                 "locked for good, and you will have to ask ANS for another one.";
    dialog.description +=
        "\n\n" + whose(ask) + (fr ? "\n\nUtiliser cet essai ?" : "\n\nUse this try?");
    dialog.ok = fr ? "Utiliser le dernier essai" : "Use the last try";
    dialog.cancel = fr ? "Ne pas essayer" : "Do not try";
    return dialog;
}

Dialog keypad_notice(const PinAsk& ask)
{
    const bool fr = in_french(ask);
    Dialog dialog;
    dialog.title = title(ask);
    dialog.description =
        (fr ? "Sur le clavier du lecteur, tapez le code actuel, puis deux fois le nouveau code "
              "porteur, à 4 chiffres.\n\n"
            : "On the reader's keypad, type the present code, then the card's new code of 4 "
              "digits twice.\n\n") +
        whose(ask);
    dialog.ok = fr ? "Annuler" : "Cancel";
    return dialog;
}

} // namespace cps::agent
