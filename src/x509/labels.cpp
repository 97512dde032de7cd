#include "labels.hpp"

#include <algorithm>
#include <array>

namespace cps::x509 {
namespace {

struct Row {
    std::string_view code;
    std::string_view label;
};

// Both in ascending order of code, by which they are searched.
// clang-format off
constexpr std::array professions{
    Row{"10", "Médecin"},
    Row{"21", "Pharmacien"},
    Row{"26", "Audioprothésiste"},
    Row{"28", "Opticien-lunetier"},
    Row{"31", "Assistant dentaire"},
    Row{"32", "Physicien médical"},
    Row{"40", "Chirurgien-dentiste"},
    Row{"50", "Sage-femme"},
    Row{"60", "Infirmier"},
    Row{"69", "Infirmier psychiatrique"},
    Row{"70", "Masseur-kinésithérapeute"},
    Row{"80", "Pédicure-podologue"},
    Row{"81", "Orthoprothésiste"},
    Row{"82", "Podo-orthésiste"},
    Row{"83", "Orthopédiste-orthésiste"},
    Row{"84", "Oculariste"},
    Row{"85", "Épithésiste"},
    Row{"86", "Technicien de laboratoire médical"},
    Row{"91", "Orthophoniste"},
    Row{"92", "Orthoptiste"},
    Row{"94", "Ergothérapeute"},
    Row{"95", "Diététicien"},
    Row{"96", "Psychomotricien"},
    Row{"98", "Manipulateur ERM"},
};
constexpr std::array specialities{
    Row{"SCD01", "Orthopédie dento-faciale"},
    Row{"SCD02", "Chirurgie orale"},
    Row{"SCD03", "Médecine bucco-dentaire"},
    Row{"SM01", "Anatomie et cytologie pathologiques"},
    Row{"SM02", "Anesthésie-réanimation"},
    Row{"SM03", "Biologie médicale"},
    Row{"SM04", "Cardiologie et maladies vasculaires"},
    Row{"SM05", "Chirurgie générale"},
    Row{"SM06", "Chirurgie maxillo-faciale"},
    Row{"SM07", "Chirurgie maxillo-faciale et stomatologie"},
    Row{"SM08", "Chirurgie orthopédique et traumatologie"},
    Row{"SM09", "Chirurgie infantile"},
    Row{"SM10", "Chirurgie plastique reconstructrice et esthétique"},
    Row{"SM11", "Chirurgie thoracique et cardio-vasculaire"},
    Row{"SM12", "Chirurgie urologique"},
    Row{"SM13", "Chirurgie vasculaire"},
    Row{"SM14", "Chirurgie viscérale et digestive"},
    Row{"SM15", "Dermatologie et vénéréologie"},
    Row{"SM16", "Endocrinologie et métabolisme"},
    Row{"SM17", "Génétique médicale"},
    Row{"SM18", "Gériatrie"},
    Row{"SM19", "Gynécologie médicale"},
    Row{"SM20", "Gynécologie-obstétrique"},
    Row{"SM21", "Hématologie"},
    Row{"SM22", "Hématologie, option maladie du sang"},
    Row{"SM23", "Hématologie, option onco-hématologie"},
    Row{"SM24", "Gastro-entérologie et hépatologie"},
    Row{"SM25", "Médecine du travail"},
    Row{"SM26", "Qualifié en médecine générale"},
    Row{"SM27", "Médecine interne"},
    Row{"SM28", "Médecine nucléaire"},
    Row{"SM29", "Médecine physique et de réadaptation"},
    Row{"SM30", "Néphrologie"},
    Row{"SM31", "Neuro-chirurgie"},
    Row{"SM32", "Neurologie"},
    Row{"SM33", "Neuro-psychiatrie"},
    Row{"SM34", "ORL et chirurgie cervico-faciale"},
    Row{"SM35", "Oncologie, option onco-hématologie"},
    Row{"SM36", "Oncologie, option médicale"},
    Row{"SM37", "Oncologie, option radiothérapie"},
    Row{"SM38", "Ophtalmologie"},
    Row{"SM39", "Oto-rhino-laryngologie"},
    Row{"SM40", "Pédiatrie"},
    Row{"SM41", "Pneumologie"},
    Row{"SM42", "Psychiatrie"},
    Row{"SM43", "Psychiatrie, option enfant et adolescent"},
    Row{"SM44", "Radio-diagnostic"},
    Row{"SM45", "Radio-thérapie"},
    Row{"SM46", "Médecine intensive-réanimation"},
    Row{"SM47", "Recherche médicale"},
    Row{"SM48", "Rhumatologie"},
    Row{"SM49", "Santé publique et médecine sociale"},
    Row{"SM50", "Stomatologie"},
    Row{"SM51", "Gynéco-obstétrique et gynéco-médicale, option gynéco-obstétrique"},
    Row{"SM52", "Gynéco-obstétrique et gynéco-médicale, option gynéco-médicale"},
    Row{"SM53", "Spécialiste en médecine générale"},
    Row{"SM54", "Médecine générale"},
    Row{"SM55", "Radio-diagnostic et radio-thérapie"},
    Row{"SM56", "Chirurgie orale"},
    Row{"SM57", "Allergologie"},
    Row{"SM58", "Maladies infectieuses et tropicales"},
    Row{"SM59", "Médecine d'urgence"},
    Row{"SM60", "Médecine légale et expertises médicales"},
    Row{"SM61", "Médecine vasculaire"},
    Row{"SM62", "Endocrinologie, diabétologie, nutrition"},
    Row{"SM72", "Médecine interne et immunologie clinique"},
    Row{"SM73", "Médecine cardiovasculaire"},
    Row{"SM74", "Radiologie et imagerie médicale"},
    Row{"SM75", "Santé publique"},
};
// clang-format on
static_assert(std::ranges::is_sorted(professions, std::ranges::less_equal{}, &Row::code));
static_assert(std::ranges::is_sorted(specialities, std::ranges::less_equal{}, &Row::code));

CodedLabel look_up(std::span<const Row> table, std::string code)
{
    const auto row = std::ranges::lower_bound(table, std::string_view{code}, {}, &Row::code);
    std::string label{row != table.end() && row->code == code ? row->label : code};
    return {std::move(code), std::move(label)};
}

} // namespace

CodedLabel profession_of(std::string code)
{
    return look_up(professions, std::move(code));
}

CodedLabel speciality_of(std::string code)
{
    return look_up(specialities, std::move(code));
}

} // namespace cps::x509
