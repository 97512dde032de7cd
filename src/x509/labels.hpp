#pragma once

#include "cps/x509/holder.hpp"

namespace cps::x509 {

/// With the French label of TRE_G15 (professions de santé); the code again where the table
/// has no row: ANS adds codes from time to time.
CodedLabel profession_of(std::string code);
/// The same for TRE_R38 (spécialités ordinales).
CodedLabel speciality_of(std::string code);

} // namespace cps::x509
