#pragma once

#include <string_view>

namespace cps {

/// CK_INFO of our own Cryptoki module. It says who wrote it, not that it is to be trusted: any
/// module may say so, and any module sees the PIN. What hangs on it is that ours resets the
/// card in C_Logout, and that it holds no card while nobody uses it.
inline constexpr std::string_view own_module_manufacturer = "cps-agent";
inline constexpr std::string_view own_module_description = "CPS card module";

} // namespace cps
