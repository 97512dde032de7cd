#pragma once

#include "cps/base/bytes.hpp"

#include <cstdint>
#include <utility>

namespace cps::vcard {

/// SW1-SW2 (ISO/IEC 7816-4:2013, 5.6).
enum class Status : std::uint16_t {
    ok = 0x9000,
    wrong_length = 0x6700,
    channel_not_open = 0x6881,
    chaining_not_supported = 0x6884,
    security_not_satisfied = 0x6982,
    blocked = 0x6983,
    conditions_not_satisfied = 0x6985,
    no_current_file = 0x6986,
    wrong_data = 0x6A80,
    file_not_found = 0x6A82,
    wrong_p1_p2 = 0x6A86,
    reference_not_found = 0x6A88,
    outside_file = 0x6B00,
    unknown_instruction = 0x6D00,
    unknown_class = 0x6E00,
    internal = 0x6F00,
};

/// 63Cx: x tries are left.
constexpr Status tries_left(unsigned tries) noexcept
{
    return static_cast<Status>(0x63C0U | (tries & 0x0FU));
}

/// 61xx or 6Cxx for a length of 1 to 256 octets, of which 256 is written 00.
constexpr Status with_length(std::uint8_t sw1, std::size_t length) noexcept
{
    return static_cast<Status>((unsigned{sw1} << 8) | (length & 0xFFU));
}

/// What a command came to, before the transport rules cut it into responses.
struct Reply {
    Reply(Status result) : status{result} {}
    Reply(Bytes answer) : data{std::move(answer)} {}

    Bytes data;
    Status status = Status::ok;
};

} // namespace cps::vcard
