#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"

#include <string>
#include <string_view>

namespace cps::pcsc {

/// The card families that we know by their answer to reset (ISO/IEC 7816-3, 8).
enum class Family { cps3, cps3_contactless, cps4, unknown };
Family family_of(ByteView atr) noexcept;

/// Resets the card in `reader` (SCardReconnect or Disconnect with SCARD_RESET_CARD), which
/// ends every security status on it, so that no other program rides on a verified PIN.
/// Errors: no_card, no_service, card_in_use (another program holds a transaction past the
/// deadline).
Result<void> reset_card(const std::string& reader);

} // namespace cps::pcsc
