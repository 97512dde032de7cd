#pragma once

#include "cryptoki.hpp"

#include <span>

namespace cps::p11 {

CK_FUNCTION_LIST_PTR function_list_2_40() noexcept;
/// "PKCS 11" 3.0 and 2.40, in this order: the first is the default.
std::span<CK_INTERFACE> interfaces() noexcept;
/// Null parameters mean "any" (PKCS #11 v3.0, 5.4.6). Null where none fits.
CK_INTERFACE* find_interface(const CK_UTF8CHAR* name, const CK_VERSION* version,
                             CK_FLAGS flags) noexcept;

} // namespace cps::p11
