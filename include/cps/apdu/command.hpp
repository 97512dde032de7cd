#pragma once

#include "cps/base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace cps::apdu {

struct Header {
    std::uint8_t cla, ins, p1, p2;
};

inline constexpr std::size_t max_command_data = 255; // octets, of a short command
inline constexpr std::size_t max_le = 256;           // octets, of a short response

/// A short command APDU, cases 1 to 4 (ISO/IEC 7816-4:2013, 5.1). At most 261 octets, so it
/// never touches the heap; it may hold a PIN, so it cannot be copied and is wiped when it goes.
class Command {
public:
    explicit Command(Header h) noexcept : bytes_{h.cla, h.ins, h.p1, h.p2} {}
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    ~Command();

    /// Call it before `with_le`.
    /// @throws Error bad_argument if `data` is empty or longer than 255 octets.
    Command& with_data(ByteView data);
    /// @param le octets wanted, 1 to 256.  @throws Error bad_argument outside that range.
    Command& with_le(std::size_t le);

    Header header() const noexcept { return {bytes_[0], bytes_[1], bytes_[2], bytes_[3]}; }
    ByteView bytes() const noexcept { return {bytes_.data(), size_}; }
    /// What a T=0 reader takes: without the Le of case 4 (ISO/IEC 7816-3:2006, 12.2.5).
    ByteView bytes_for_t0() const noexcept
    {
        return {bytes_.data(), body_end_ > 4 ? body_end_ : size_};
    }

private:
    std::array<std::uint8_t, 4 + 1 + max_command_data + 1> bytes_;
    std::size_t body_end_ = 4; // header, or header + Lc + data
    std::size_t size_ = 4;
};

} // namespace cps::apdu
