#include "display.hpp"
#include "texts.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;

namespace {

AskedFor at_a_keypad(const char* language)
{
    AskedFor asked{language,
                   *token::Origin::parse("https://amelipro.example"),
                   nullptr,
                   {token::Feature::login()},
                   "ALICE SPECIMEN"};
    asked.at_keypad = true;
    return asked;
}

bool says(const Dialog& dialog, std::string_view words)
{
    return dialog.description.find(words) != std::string::npos;
}

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("a consent for a keypad has no field, and says where the code is typed")
    {
        auto asked = at_a_keypad("fr");
        CHECK(pin_dialog(asked).prompt.empty());
        CHECK(says(pin_dialog(asked), "acceptez, puis tapez votre code sur le lecteur."));
        CHECK(
            says(pin_dialog(at_a_keypad("en")), "say so, then type your code on the reader."));

        asked.at_keypad = false;
        CHECK(says(pin_dialog(asked), "tapez votre code porteur."));
        CHECK(pin_dialog(asked).prompt == "Code :");
    }

    TEST_CASE("a consent for a keypad begins with what went wrong, since it shows no error")
    {
        auto asked = at_a_keypad("en");
        asked.tries_left = 2;
        CHECK(pin_dialog(asked).description.starts_with("A wrong code was entered before."));
        asked.before = AskedFor::Before::wrong_pin;
        CHECK(pin_dialog(asked).description.starts_with("Wrong code. Tries left: 2."));
        CHECK(pin_dialog(asked).error.empty());
        CHECK(octets_shown(pin_dialog(asked).description) <= max_text);
    }

    TEST_CASE("the window beside the keypad says for whom, and whose card")
    {
        auto asked = at_a_keypad("fr");
        const auto notice = keypad_notice(asked);
        CHECK(says(notice, "clavier du lecteur, pour répondre à "));
        CHECK(says(notice, "https://amelipro.example"));
        CHECK(says(notice, "ALICE SPECIMEN"));
        CHECK(notice.ok == "Annuler");
        CHECK(notice.cancel.empty());

        asked.renewal = true;
        CHECK(says(keypad_notice(asked), "poursuivre votre session avec "));
    }
}
