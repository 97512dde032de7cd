#pragma once

#include "cps/base/bytes.hpp"

#include <cstdint>
#include <optional>

namespace cps::apdu {

/// One BER data object. `tag` is its octets read as one big-endian number: 0x30, 0x5F20,
/// 0x7F49.
struct Tlv {
    std::uint32_t tag = 0;
    ByteView value;
    ByteView whole; ///< tag and length included
};

/// Reads one data object after another from octets that the caller keeps alive. Definite
/// lengths of at most four octets, tags of at most three (ISO/IEC 7816-4:2013, 5.2.2).
class TlvReader {
public:
    explicit TlvReader(ByteView bytes) noexcept : rest_{bytes} {}

    bool at_end() const noexcept { return rest_.empty(); }
    /// The octets not read yet.
    ByteView rest() const noexcept { return rest_; }
    /// @throws Error malformed_input at the end, or when the object runs over it.
    Tlv next();
    /// The next object if it has this tag; reads nothing otherwise.
    std::optional<Tlv> next_if(std::uint32_t tag);
    /// @throws Error malformed_input if the next object has another tag.
    ByteView expect(std::uint32_t tag);

private:
    ByteView rest_;
};

/// The first object of that tag among those in `bytes`, not deeper.
std::optional<Tlv> find_tlv(ByteView bytes, std::uint32_t tag);

} // namespace cps::apdu
