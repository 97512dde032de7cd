#include "patients.hpp"

#include <algorithm>
#include <array>

namespace cps::portal {
namespace {

constexpr std::size_t nir_size = 15; // digits: 13 and the key
constexpr std::string_view parameter = "nir=";

struct Patient {
    std::string_view nir;
    std::string_view surname;
    std::string_view given_names;
    std::string_view born;
    std::string_view scheme;
    std::string_view rights_until;
    bool long_illness;  ///< affection de longue durée
    bool complementary; ///< complémentaire santé solidaire
    std::string_view physician;
};

constexpr std::array<Patient, 3> patients{{
    {"258010000000180", "FICTIVE-ROSSIGNOL", "JEANNE", "1958-01-12", "Régime général",
     "2027-12-31", true, false, "Dr C. Specimen-Durand"},
    {"187060000000249", "FICTIF-MOREL", "KARIM", "1987-06-03", "Régime général", "2027-06-30",
     false, true, "Dr C. Specimen-Durand"},
    {"219120000000331", "FICTIVE-LE GOFF", "MAËLYS", "2019-12-24", "Régime agricole",
     "2028-01-31", false, false, "Dr P. Specimen-Martin"},
}};

constexpr bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

} // namespace

std::optional<std::string> nir_of_query(std::string_view raw_query)
{
    if (!raw_query.starts_with(parameter))
        return std::nullopt;
    const auto nir = raw_query.substr(parameter.size());
    if (nir.size() != nir_size || !std::ranges::all_of(nir, is_digit))
        return std::nullopt;
    return std::string{nir};
}

std::optional<boost::json::object> patient(std::string_view nir)
{
    const auto found = std::ranges::find(patients, nir, &Patient::nir);
    if (found == patients.end())
        return std::nullopt;
    return boost::json::object{
        {"nir", found->nir},
        {"surname", found->surname},
        {"given_names", found->given_names},
        {"born", found->born},
        {"scheme", found->scheme},
        {"rights_until", found->rights_until},
        {"long_illness", found->long_illness},
        {"complementary", found->complementary},
        {"physician", found->physician},
    };
}

} // namespace cps::portal
