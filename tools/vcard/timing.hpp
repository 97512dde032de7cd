#pragma once

#include "cps/base/bytes.hpp"

#include <chrono>

namespace cps::vcard {

enum class Timing { none, cps3 };

/// How long a real CPS3 in a common reader would have taken for this exchange; an estimate
/// from the interface's figures, never measured on a card. Zero for Timing::none.
std::chrono::microseconds exchange_time(Timing timing, ByteView command,
                                        ByteView response) noexcept;

} // namespace cps::vcard
