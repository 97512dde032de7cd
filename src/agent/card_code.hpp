#pragma once

#include "cps/base/bytes.hpp"

#include <algorithm>
#include <cstddef>

namespace cps::agent {

inline constexpr std::size_t pin_digits = 4; ///< a CPS card's code
inline constexpr std::size_t puk_digits = 8; ///< and its unlocking code

/// Anything else would waste a try.
inline bool is_code(ByteView entered, std::size_t digits)
{
    return entered.size() == digits &&
           std::ranges::all_of(entered, [](auto c) { return c >= '0' && c <= '9'; });
}

} // namespace cps::agent
