#pragma once

#include "cps/base/bytes.hpp"

#include <cstddef>
#include <optional>

namespace cps::vcard {

/// CLA bit that says "more of this command follows" (ISO/IEC 7816-4:2013, 5.3.3).
inline constexpr std::uint8_t chaining_bit = 0x10;

/// A short command APDU; `data` points into the bytes it was parsed from.
struct Command {
    std::uint8_t cla;
    std::uint8_t ins;
    std::uint8_t p1;
    std::uint8_t p2;
    ByteView data;
    /// Octets wanted, 1 to 256. With T=0 a command of five octets may be case 1 as well: its
    /// P3 is 00 then, and this is 256.
    std::optional<std::size_t> le;

    constexpr unsigned p1_p2() const noexcept { return (unsigned{p1} << 8) | p2; }
    constexpr bool is_chained() const noexcept { return (cla & chaining_bit) != 0; }
};

/// Empty for whatever is not a short APDU (ISO/IEC 7816-4:2013, 5.1); no CPS card takes
/// extended length.
std::optional<Command> parse_command(ByteView bytes);

} // namespace cps::vcard
