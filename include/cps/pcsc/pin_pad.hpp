#pragma once

#include "cps/apdu/command.hpp"
#include "cps/apdu/status_word.hpp"
#include "cps/base/error.hpp"
#include "cps/pcsc/connection.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace cps::pcsc {

/// The form of a PIN that a PIN pad is told.
struct PadFormat {
    std::uint8_t min_size;    // digits
    std::uint8_t max_size;    // digits
    std::uint8_t stored_size; // octets sent to the card
    std::uint8_t padding;
};

/// A reader with keys of its own, so that the PIN never enters this computer (PC/SC part 10,
/// 2.02.09: FEATURE_VERIFY_PIN_DIRECT and FEATURE_MODIFY_PIN_DIRECT). Blocks for as long as
/// the person types, 30 s at most.
class PinPad {
public:
    /// Empty where the reader has none, or is known to claim one that it has not.
    static std::optional<PinPad> of(Connection& connection, std::string_view reader);

    bool can_modify() const noexcept { return modify_ != 0; }
    /// The card's answer to VERIFY with what was typed. Within a transaction.
    /// Errors: pin_cancelled (also for too few digits, or new PINs that differ: nothing went
    /// to the card), pin_timeout, card_removed; those of `control`.
    Result<apdu::StatusWord> verify(Connection& connection, apdu::Header header,
                                    const PadFormat& format) const;
    /// The card's answer to CHANGE REFERENCE DATA with old and new PIN, the new one typed
    /// twice. Errors: as `verify`.
    Result<apdu::StatusWord> modify(Connection& connection, apdu::Header header,
                                    const PadFormat& format) const;

private:
    PinPad(std::uint32_t verify, std::uint32_t modify) noexcept
        : verify_{verify}, modify_{modify}
    {
    }
    std::uint32_t verify_; // control codes
    std::uint32_t modify_; // 0: none
};

} // namespace cps::pcsc
