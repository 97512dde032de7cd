#include "texts.hpp"

#include "consent_words.hpp"
#include "site_words.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace cps::agent {
namespace {

constexpr std::size_t max_name = 60;   // characters of a portal's or a holder's name
constexpr std::size_t max_label = 120; // characters of a feature's label
constexpr std::size_t max_shown = 10;  // features listed; more are counted
constexpr std::size_t max_word = 60;   // characters of a label without a blank
constexpr std::size_t short_name = 16; // characters, where the room is scarce

/// One code point from `text` at `at`, moved past it; empty for what is not UTF-8 (RFC 3629).
std::optional<char32_t> next_character(std::string_view text, std::size_t& at)
{
    const auto octet = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto first = octet(at);
    const std::size_t length = first < 0x80       ? 1
                               : first >> 5 == 6  ? 2
                               : first >> 4 == 14 ? 3
                               : first >> 3 == 30 ? 4
                                                  : 0;
    if (length == 0) {
        ++at;
        return std::nullopt;
    }
    auto value = static_cast<char32_t>(length == 1 ? first : first & (0x7FU >> length));
    for (std::size_t i = 1; i != length; ++i) {
        if ((octet(at + i) & 0xC0U) != 0x80U) {
            at += i;
            return std::nullopt;
        }
        value = value << 6 | (octet(at + i) & 0x3FU);
    }
    at += length;
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < least[length] || surrogate || value > 0x10FFFF)
        return std::nullopt;
    return value;
}

/// Controls, format and bidirectional characters, separators, private use, tags.
bool is_deceptive(char32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x34F || c == 0x61C ||
           (c >= 0x115F && c <= 0x1160) || (c >= 0x17B4 && c <= 0x17B5) ||
           (c >= 0x180B && c <= 0x180F) || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x3164 ||
           (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF ||
           c == 0xFFA0 || (c >= 0xFFF0 && c <= 0xFFFB) || c >= 0xE0000;
}

/// A window may cut a word that is wider than itself.
std::string with_breaks(std::string_view text)
{
    std::string out;
    std::size_t word = 0;
    for (const char c : text) {
        if (c == ' ')
            word = 0;
        else if ((c & 0xC0) != 0x80 && word++ == max_word) {
            out += ' ';
            word = 1;
        }
        out += c;
    }
    return out;
}

std::string feature_line(const AskedFor& asked, const token::Feature& feature)
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
            return with_breaks(for_display(found->second.label.in(asked.language), max_label)) +
                   feature_details(asked, found->second);
    return feature.str();
}

/// What agreeing to a session means beyond one request.
std::string session_line(const AskedFor& asked)
{
    if (asked.limit == 0)
        return {};
    const auto limit = std::to_string(asked.limit);
    return asked.language != "en"
               ? "\n\nTant que la carte reste dans le lecteur : " + limit +
                     " consultations au plus, sans redemander votre code."
               : "\n\nAs long as the card stays in the reader: at most " + limit +
                     " look-ups, without asking for your code again.";
}

std::string consent_text(const AskedFor& asked, std::size_t shown, std::size_t name_size)
{
    const bool fr = asked.language != "en";
    const auto name =
        asked.portal != nullptr
            ? for_display(asked.portal->name.in(asked.language), name_size)
            : std::string{fr ? "Un site non enregistré" : "A site not registered"};
    std::string features;
    for (std::size_t i = 0; i != asked.features.size() && i != shown; ++i)
        features += "\n  • " + feature_line(asked, asked.features[i]);
    if (asked.features.size() > shown)
        features += "\n  • … +" + std::to_string(asked.features.size() - shown);
    return site_warnings(asked.origin, asked.resembles, asked.language) +
           (fr ? name + " demande, avec votre carte :" : name + " asks, with your card, to:") +
           features + session_line(asked) + disclosure(asked) + "\n\n" +
           site_lines(asked.origin, asked.language) + (fr ? "\nCarte : " : "\nCard: ") +
           for_display(asked.holder, name_size) + closing_words(asked);
}

/// Who asks, whose card, and the warnings are always said; the features are what gives way,
/// then what explains them, then the ends of long names.
std::string consent_text(AskedFor asked)
{
    const auto fits = [](std::string_view text) { return octets_shown(text) <= max_text; };
    for (auto shown = max_shown; shown != 0; --shown)
        if (auto text = consent_text(asked, shown, max_name); fits(text))
            return text;
    if (asked.wording == Wording::full)
        asked.wording = Wording::terse;
    for (const auto name_size : {max_name, short_name})
        for (const std::size_t shown : {1U, 0U})
            if (auto text = consent_text(asked, shown, name_size); fits(text))
                return text;
    return consent_text(asked, 0, short_name);
}

} // namespace

std::string for_display(std::string_view text, std::size_t max_characters)
{
    std::string out;
    std::size_t shown = 0;
    for (std::size_t at = 0; at != text.size();) {
        const auto begin = at;
        const auto character = next_character(text, at);
        if (!character || is_deceptive(*character))
            continue;
        if (shown++ == max_characters)
            return out + "…";
        out += text.substr(begin, at - begin);
    }
    return out;
}

std::size_t octets_shown(std::string_view text)
{
    return text.size() + 2 * static_cast<std::size_t>(std::ranges::count_if(
                                 text, [](char c) { return c == '\n' || c == '%'; }));
}

Dialog pin_dialog(const AskedFor& asked)
{
    const bool fr = asked.language != "en";
    const auto tries = std::to_string(asked.tries_left);

    Dialog dialog;
    dialog.title = fr ? "Carte CPS : votre accord" : "CPS card: your consent";
    dialog.description = consent_text(asked);
    dialog.prompt = fr ? "Code :" : "Code:";
    if (asked.before == AskedFor::Before::not_a_pin)
        dialog.error = fr ? "Le code porteur a 4 chiffres. Aucun essai n'a été utilisé."
                          : "The card's code has 4 digits. No try was used.";
    else if (asked.before == AskedFor::Before::wrong_pin)
        dialog.error = fr ? "Code faux. Essais restants : " + tries + "."
                          : "Wrong code. Tries left: " + tries + ".";
    else if (asked.tries_left < 3)
        dialog.error = fr ? "Un code faux a déjà été saisi. Essais restants : " + tries + "."
                          : "A wrong code was entered before. Tries left: " + tries + ".";
    dialog.ok = fr ? "Accepter" : "Agree";
    dialog.cancel = fr ? "Refuser" : "Refuse";
    return dialog;
}

Dialog last_try_dialog(const AskedFor& asked)
{
    const bool fr = asked.language != "en";
    Dialog dialog;
    dialog.title = fr ? "Carte CPS : dernier essai" : "CPS card: last try";
    dialog.description =
        fr ? "Il ne reste qu'un essai. Un code faux de plus bloque la carte de " +
                 for_display(asked.holder, max_name) +
                 ", et seul son code de déblocage (PUK) la débloquera.\n\nUtiliser cet essai ?"
           : "One try is left. One more wrong code locks the card of " +
                 for_display(asked.holder, max_name) +
                 ", and only its unlocking code (PUK) unlocks it.\n\nUse this try?";
    dialog.ok = fr ? "Utiliser le dernier essai" : "Use the last try";
    dialog.cancel = fr ? "Ne pas essayer" : "Do not try";
    return dialog;
}

} // namespace cps::agent
