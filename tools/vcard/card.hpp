#pragma once

#include "cps/base/bytes.hpp"
#include "vcard/pins.hpp"

#include <memory>

namespace cps::vcard {

struct CardData;

/// A chip: bytes in, bytes out, no I/O and no clock. One thread at a time.
class Card {
public:
    virtual ~Card() = default;

    /// Answer to reset (ISO/IEC 7816-3:2006, 8).
    virtual ByteView atr() const noexcept = 0;
    /// One command APDU to one response APDU, SW1-SW2 included. Whatever the bytes are, the
    /// answer is at least two octets long.
    /// @throws std::bad_alloc alone.
    virtual Bytes process(ByteView command) = 0;
    /// Power off, power on or reset: everything volatile is forgotten.
    virtual void reset() noexcept = 0;
    /// The code porteur and the PUK, which outlive a reset.
    virtual const Pins& pins() const noexcept = 0;
    virtual Pins& pins() noexcept = 0;
};

/// The chip that `data` describes, fresh from reset.
/// @throws Error malformed_input when its keys or its numbers cannot be used.
std::unique_ptr<Card> make_card(const CardData& data, const PinState& pins);

} // namespace cps::vcard
