#include "texts.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;

TEST_SUITE("agent")
{
    TEST_CASE("text from outside loses what could deceive, and keeps its accents")
    {
        CHECK(for_display("Hôpital « Saint-Éloi » 中", 60) == "Hôpital « Saint-Éloi » 中");
        CHECK(for_display("a\nb\tc\x7F", 60) == "abc");
        CHECK(for_display("\u202Eoilema\u202C", 60) == "oilema"); // bidirectional override
        CHECK(for_display("a\u200Bb\u2028c\uFEFF", 60) == "abc");
        CHECK(for_display("\xC0\xAF"
                          "a\xED\xA0\x80"
                          "b\xF5",
                          60) == "ab");             // overlong, surrogate, out of range
        CHECK(for_display("a\xE2\x82", 60) == "a"); // cut short
    }

    TEST_CASE("text from outside is clipped between characters")
    {
        CHECK(for_display("éééé", 3) == "ééé…");
        CHECK(for_display("ééé", 3) == "ééé");
    }

    TEST_CASE("the dialog names the portal, its origin in full, the feature and the holder")
    {
        AskedFor asked{"fr",
                       *token::Origin::parse("https://amelipro.example"),
                       nullptr,
                       {token::Feature::login()},
                       "ALICE SPECIMEN"};

        const auto dialog = pin_dialog(asked);

        CHECK(dialog.description.find("https://amelipro.example") != std::string::npos);
        CHECK(dialog.description.find("ALICE SPECIMEN") != std::string::npos);
        CHECK(dialog.description.find("identifiant national") != std::string::npos);
        CHECK(dialog.error.empty());
    }

    TEST_CASE("the first dialog explains the features and what is disclosed, a later one less")
    {
        const auto read = *token::Feature::parse("patient.read");
        const auto list = *token::Feature::parse("patient.list");
        Portal portal{
            *token::Origin::parse("https://one.example"), {"Un", "One"}, {}, {}, false, {}};
        portal.features.emplace(read,
                                PortalFeature{{"Lire", "Read"}, FeatureMode::session, 200});
        portal.features.emplace(list, PortalFeature{{"Lister", "List"}, FeatureMode::card, 0});
        AskedFor asked{"fr", portal.origin, &portal, {read, list}, "ALICE"};
        asked.remembered_days = 90;

        const auto full = pin_dialog(asked).description;
        asked.wording = Wording::brief;
        const auto brief = pin_dialog(asked).description;

        for (const auto* const part :
             {"Lire (200 fois au plus", "Lister (votre code est demandé à chaque fois)",
              "votre identifiant national", "retenu 90 jours"}) {
            CHECK(full.find(part) != std::string::npos);
            CHECK(brief.find(part) == std::string::npos);
        }
        for (const auto* const part : {"Un demande", "Lire", "Lister", "https://one.example",
                                       "ALICE", "tapez votre code porteur"}) {
            CHECK(full.find(part) != std::string::npos);
            CHECK(brief.find(part) != std::string::npos);
        }
        CHECK(brief.size() < full.size());
    }

    TEST_CASE("a consent that will not be remembered does not say so")
    {
        const AskedFor asked{"fr",
                             *token::Origin::parse("https://one.example"),
                             nullptr,
                             {token::Feature::login()},
                             "ALICE"};

        CHECK(pin_dialog(asked).description.find("retenu") == std::string::npos);
    }

    TEST_CASE("the dialog says how many tries are left as soon as one was used")
    {
        AskedFor asked{"en",    *token::Origin::parse("https://amelipro.example"),
                       nullptr, {token::Feature::login()},
                       "ALICE", 2};

        CHECK(pin_dialog(asked).error == "A wrong code was entered before. Tries left: 2.");
        asked.before = AskedFor::Before::wrong_pin;
        CHECK(pin_dialog(asked).error == "Wrong code. Tries left: 2.");
        asked.before = AskedFor::Before::not_a_pin;
        CHECK(pin_dialog(asked).error == "The card's code has 4 digits. No try was used.");
    }
}
