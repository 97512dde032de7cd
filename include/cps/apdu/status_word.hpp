#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace cps::apdu {

/// SW1-SW2, the trailer of every response (ISO/IEC 7816-4:2013, 5.1.3).
class StatusWord {
public:
    constexpr explicit StatusWord(std::uint16_t raw) noexcept : raw_{raw} {}

    constexpr bool ok() const noexcept { return raw_ == 0x9000; }
    /// 61xx: bytes still waiting on the card.
    constexpr std::optional<std::size_t> waiting() const noexcept { return length_after(0x61); }
    /// 6Cxx: the Le the card wants instead.
    constexpr std::optional<std::size_t> right_le() const noexcept
    {
        return length_after(0x6C);
    }
    /// 63Cx: tries left after a failed verification.
    constexpr std::optional<int> tries_left() const noexcept
    {
        if ((raw_ & 0xFFF0) != 0x63C0)
            return std::nullopt;
        return raw_ & 0x0F;
    }
    constexpr std::uint16_t raw() const noexcept { return raw_; }
    friend constexpr bool operator==(StatusWord, StatusWord) = default;

private:
    constexpr std::optional<std::size_t> length_after(unsigned sw1) const noexcept
    {
        if (raw_ >> 8 != sw1)
            return std::nullopt;
        return (raw_ & 0xFF) == 0 ? 256 : raw_ & 0xFF; // 00 stands for 256
    }
    std::uint16_t raw_;
};

namespace sw {
inline constexpr StatusWord ok{0x9000};
inline constexpr StatusWord blocked{0x6983};      ///< authentication method blocked
inline constexpr StatusWord not_allowed{0x6982};  ///< security status not satisfied
inline constexpr StatusWord end_of_file{0x6B00};  ///< offset beyond the end
inline constexpr StatusWord end_reached{0x6282};  ///< fewer octets than asked for
inline constexpr StatusWord file_missing{0x6A82}; ///< file or application not found
inline constexpr StatusWord channel_lost{0x6881}; ///< logical channel not supported
} // namespace sw

} // namespace cps::apdu
