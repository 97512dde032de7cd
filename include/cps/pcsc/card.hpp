#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"

#include <string>

namespace cps::pcsc {

/// The card families that we know by their answer to reset (ISO/IEC 7816-3, 8).
enum class Family { cps3, cps3_contactless, cps4, unknown };
Family family_of(ByteView atr) noexcept;

/// Resets the card in `reader`, which ends every security status on it, so that no other
/// program rides on a verified PIN. Waits for a program that holds the card, 3 s at most.
/// Any thread; blocks.
/// Errors: no_card, card_mute, no_reader, no_service, card_in_use (the deadline has passed).
Result<void> reset_card(const std::string& reader);

} // namespace cps::pcsc
