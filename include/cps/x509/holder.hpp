#pragma once

#include "cps/base/error.hpp"
#include "cps/x509/certificate.hpp"

#include <optional>
#include <string>

namespace cps::x509 {

/// TRE_G02, extension 1.2.250.1.71.1.2.2.
enum class CardType { cps = 0, cpf = 1, cpe = 2, cpa = 3 };

struct CodedLabel {
    std::string code;  ///< e.g. "10"
    std::string label; ///< e.g. "Médecin"; the code again where the table has no row
};

/// Who a CPS card belongs to, read from its certificate alone: subject CN, SN and GN (three
/// values in one RDN in any order, or one an RDN) and ANS's private extensions. UTF-8.
struct Holder {
    std::string id;      ///< national identifier = the one subject CN, e.g. "899700367917"
    std::string id_kind; ///< "rpps", "adeli", "finess", "siren", "siret", "cabinet_rpps",
                         ///< "cabinet_adeli", "other": from the first digit (ANS, PS_IdNat)
    std::string surname; ///< of a card that names nobody (some CPE) its pseudonym, or empty
    std::string given_names;
    std::optional<CardType> card_type;
    std::string card_number; ///< "8025000001/2800636234" or empty
    std::optional<int>
        product_category; ///< the octet: 0x00 card, 0x80 0x82 0x83 test, 0x03 software
    std::optional<CodedLabel> profession; ///< TRE_G15
    std::optional<CodedLabel> speciality; ///< TRE_R38 / R01
};

/// Errors: malformed_input where there is not exactly one CN, or an extension cannot be read.
Result<Holder> holder_of(const Certificate& certificate);

/// "CPS", "CPF", "CPE", "CPA".
std::string_view name_of(CardType type) noexcept;

} // namespace cps::x509
