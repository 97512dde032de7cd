#pragma once

#include <string_view>

namespace cps {

/// CK_INFO of our own Cryptoki module. It says who wrote it, not that it is to be trusted: any
/// module may say so, and any module sees the PIN. What hangs on it is that ours resets the
/// card in C_Logout, and that it holds no card while nobody uses it.
inline constexpr std::string_view own_module_manufacturer = "cps-agent";
inline constexpr std::string_view own_module_description = "CPS card module";

/// A vendor's attribute (PKCS #11 v3.0, 4.1: CKA_VENDOR_DEFINED and above) of that module's
/// certificates: CKA_VALUE as the card has it now, read at each question, where CKA_VALUE
/// itself comes from the module's copy.
inline constexpr unsigned long own_module_value_on_card = 0x80000000UL | 0x43505301UL;

} // namespace cps
