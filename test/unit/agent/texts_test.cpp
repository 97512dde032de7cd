#include "texts.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;

TEST_SUITE("agent")
{
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
        asked.limit = 200;

        const auto full = pin_dialog(asked).description;
        asked.wording = Wording::brief;
        const auto brief = pin_dialog(asked).description;

        for (const auto* const part : {"Lister (votre code est demandé à chaque fois)",
                                       "votre identifiant national", "retenu 90 jours"}) {
            CHECK(full.find(part) != std::string::npos);
            CHECK(brief.find(part) == std::string::npos);
        }
        for (const auto* const part :
             {"Un demande", "200 consultations au plus", "Lire", "Lister",
              "https://one.example", "ALICE", "tapez votre code porteur"}) {
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

    TEST_CASE("where features have no room the consent is not whole, and not said to last")
    {
        Portal portal{
            *token::Origin::parse("https://one.example"), {"Un", "One"}, {}, {}, false, {}};
        AskedFor asked{"fr", portal.origin, &portal, {}, "ALICE"};
        asked.remembered_days = 90;
        const auto add = [&](const std::string& id) {
            asked.features.push_back(*token::Feature::parse(id));
            portal.features.emplace(asked.features.back(),
                                    PortalFeature{{"Lire " + id, ""}, FeatureMode::session, 1});
        };
        for (char id = 'a'; id <= 'j'; ++id)
            add(std::string(1, id));
        const auto all = pin_dialog(asked);
        CHECK(all.whole);
        CHECK(all.description.find("  • Lire j") != std::string::npos);
        CHECK(all.description.find("retenu 90 jours") != std::string::npos);

        add("k");
        const auto some = pin_dialog(asked);
        CHECK_FALSE(some.whole);
        CHECK(some.description.find("  • … et 1 de plus") != std::string::npos);
        CHECK(some.description.find("retenu") == std::string::npos);

        asked.features.pop_back();
        for (const auto& feature : asked.features)
            portal.features.at(feature).label.fr = std::string(120, 'x');
        const auto wide = pin_dialog(asked);
        CHECK_FALSE(wide.whole);
        CHECK(wide.description.find(" de plus") != std::string::npos);
        CHECK(wide.description.find("retenu") == std::string::npos);
    }
}
