#include "pki/cards.hpp"

namespace cps::pki {
namespace {

constexpr unsigned type_cps = 0; // TRE_G02
constexpr unsigned type_cpe = 2;
constexpr unsigned physician = 10; // TRE_G15
constexpr unsigned pharmacist = 21;
constexpr unsigned midwife = 50;
constexpr unsigned nurse = 60;

Card card(std::string name, std::string number, Person person)
{
    const auto generation = name.substr(name.size() - 4);
    person.card_number = "28" + number;
    return {std::move(name), generation, std::move(number), std::move(person)};
}

} // namespace

std::vector<Card> fictitious_cards()
{
    std::vector<Card> cards{
        card("medecin-cps3", "00100018",
             {"899700000013",
              "SPECIMEN-DURAND",
              "CLAIRE",
              "Médecin",
              type_cps,
              physician,
              "SM26",
              {}}),
        card("medecin2-cps3", "00100026",
             {"899700000021",
              "SPECIMEN-MARTIN",
              "PAUL",
              "Médecin",
              type_cps,
              physician,
              "SM54",
              {}}),
        card("infirmiere-cps4", "00100034",
             {"899700000039",
              "SPECIMEN-BERNARD",
              "JEANNE",
              "Infirmier",
              type_cps,
              nurse,
              {},
              {}}),
        card("pharmacien-cps3", "00100042",
             {"899700000047",
              "SPECIMEN-PETIT",
              "HUGO",
              "Pharmacien",
              type_cps,
              pharmacist,
              {},
              {}}),
        card("revoquee-cps3", "00100059",
             {"899700000054",
              "SPECIMEN-PERDUE",
              "ALICE",
              "Médecin",
              type_cps,
              physician,
              "SM26",
              {}}),
        card("expiree-cps3", "00100067",
             {"899700000062",
              "SPECIMEN-ANCIEN",
              "RENE",
              "Médecin",
              type_cps,
              physician,
              "SM26",
              {}}),
        card("accents-cps3", "00100075",
             {"899700000070",
              "D'HÉRÈS-L'ÉGLISE",
              "ZOÉ FRANÇOISE-MAËLLE",
              "Sage-Femme",
              type_cps,
              midwife,
              {},
              {}}),
        card("cpe-cps3", "00100083",
             {"500000000029751/CPAT0001",
              "SPECIMEN-SECRETARIAT",
              "LUCIE",
              {},
              type_cpe,
              {},
              {},
              {}}),
    };
    for (auto& c : cards) {
        c.revoked = c.name == "revoquee-cps3";
        c.years_from = c.name == "expiree-cps3" ? -4 : 0; // over since one year
    }
    return cards;
}

std::string card_toml(const Card& card)
{
    const auto& who = card.person;
    const auto holder = who.given_names + " " + who.surname +
                        (who.title.empty() ? "" : ", " + who.title) + " (" + who.id + ")";
    return "# A fictitious card for cps-vcard; its keys and certificates lie beside this "
           "file.\n"
           "\n"
           "# The card's application: \"cps3\" or \"cps4\".\n"
           "generation = \"" +
           card.generation +
           "\"\n"
           "# EF.SN: the eight digits after the issuer 80 25 00 00 01; the Luhn digit follows\n"
           "# from them.\n"
           "serial = \"" +
           card.serial +
           "\"\n"
           "# Ten digits, printed on a card: the end of TokenInfo's label and of the\n"
           "# certificates' extension 1.2.250.1.71.1.2.3.\n"
           "card_number = \"" +
           who.card_number +
           "\"\n"
           "# For people; programs read the certificates.\n"
           "holder = \"" +
           holder + "\"\n";
}

} // namespace cps::pki
