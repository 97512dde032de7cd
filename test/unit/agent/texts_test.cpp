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

    TEST_CASE("whatever the sizes, all that tells who asks and whose card it is is shown")
    {
        const std::string label63(63, 'a');
        const std::string row = label63 + '.' + label63 + '.' + label63 + '.';
        const std::string wide = "\U0001F600";
        const auto many = [](std::string_view what, int times) {
            std::string all;
            while (times-- != 0)
                all += what;
            return all;
        };
        for (const std::string host : {"https://one.example", "https://xn--e1afmkfd.example",
                                       "https://xn--bcher-kva.example"})
            for (const bool is_long : {false, true})
                for (const bool known : {false, true})
                    for (const std::string language : {"fr", "en"})
                        for (const auto wording : {Wording::full, Wording::brief}) {
                            auto text = host;
                            if (is_long)
                                text.insert(8, row);
                            const auto origin = token::Origin::parse(text);
                            REQUIRE(origin);
                            Portal portal{
                                *origin, {many(wide, 80), many(wide, 80)}, {}, {}, false, {}};
                            std::vector<token::Feature> features;
                            for (int i = 0; i != 64; ++i) {
                                features.push_back(
                                    *token::Feature::parse("feature." + std::to_string(i)));
                                portal.features.emplace(
                                    features.back(),
                                    PortalFeature{{many("é", 200), many("é", 200)},
                                                  FeatureMode::card,
                                                  0});
                            }
                            AskedFor asked{language, *origin, known ? &portal : nullptr,
                                           features, many(wide, 80)};
                            if (!known) {
                                asked.features = {token::Feature::login()};
                                asked.resembles = "https://" + row + "two.example";
                            } else {
                                asked.limit = 10'000;
                                asked.remembered_days = 365;
                            }
                            asked.wording = wording;

                            const auto shown = pin_dialog(asked).description;

                            CAPTURE(text);
                            CAPTURE(language);
                            CAPTURE(shown);
                            CHECK(octets_shown(shown) <= max_text);
                            CHECK(shown.find(is_long ? text.substr(text.size() - 48) : text) !=
                                  std::string::npos);
                            CHECK(shown.find(many(wide, 16)) != std::string::npos);
                            CHECK(shown.find(language == "fr" ? "tapez votre code"
                                                              : "type your card's code") !=
                                  std::string::npos);
                            if (!known)
                                CHECK(shown.find("two.example") != std::string::npos);
                            else
                                CHECK(shown.find("… +") != std::string::npos);
                        }
    }

    TEST_CASE("a word of a label that is wider than a window is broken")
    {
        const auto read = *token::Feature::parse("patient.read");
        Portal portal{
            *token::Origin::parse("https://one.example"), {"Un", "One"}, {}, {}, false, {}};
        portal.features.emplace(
            read, PortalFeature{{std::string(100, 'x'), "Read"}, FeatureMode::session, 1});

        const auto shown =
            pin_dialog({"fr", portal.origin, &portal, {read}, "ALICE"}).description;

        CHECK(shown.find(std::string(60, 'x') + ' ' + std::string(40, 'x')) !=
              std::string::npos);
    }
}
