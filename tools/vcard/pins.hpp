#pragma once

#include "cps/base/bytes.hpp"
#include "vcard/reply.hpp"

#include <array>
#include <cstdint>

namespace cps::vcard {

/// A code as VERIFY carries it: ASCII digits, padded with FF to eight octets.
using PaddedCode = std::array<std::uint8_t, 8>;

inline constexpr unsigned max_pin_tries = 3;
inline constexpr unsigned max_puk_tries = 10;
inline constexpr unsigned max_puk_uses = 100;
inline constexpr std::size_t pin_digits = 4;
inline constexpr std::size_t puk_digits = 8;

/// @throws Error bad_argument if `digits` are not `count` ASCII digits.
PaddedCode padded_code(std::string_view digits, std::size_t count);

/// What the chip's non-volatile memory keeps of the two codes.
struct PinState {
    PaddedCode pin;
    PaddedCode puk;
    unsigned pin_tries = max_pin_tries;
    unsigned puk_tries = max_puk_tries;
    unsigned puk_uses = max_puk_uses;

    friend bool operator==(const PinState&, const PinState&) = default;
};

/// The two codes, by their PKCS #15 references on every generation.
enum class Code : std::uint8_t { pin = 1, puk = 2 };

/// Counters, and who is verified since the last reset.
class Pins {
public:
    explicit Pins(const PinState& state) noexcept : state_{state} {}

    /// As VERIFY without data tells it: ok when verified, blocked, or the tries left.
    Status status(Code code) const noexcept;
    bool verified(Code code) const noexcept;
    /// A wrong code costs a try and the security status; the last one blocks.
    Status verify(Code code, ByteView padded) noexcept;
    /// Sets a new PIN of four digits. Who may, the caller decides.
    Status set_pin(ByteView padded) noexcept;
    /// Gives all tries of the PIN back. Who may, the caller decides.
    void unblock_pin() noexcept { state_.pin_tries = max_pin_tries; }
    /// No try of the PIN is left.
    void block_pin() noexcept;
    /// Power off, power on, reset.
    void forget_verification() noexcept { pin_verified_ = puk_verified_ = false; }

    const PinState& state() const noexcept { return state_; }

private:
    Status verify_code(const PaddedCode& right, unsigned& tries, unsigned max_tries,
                       bool& verified, ByteView padded) noexcept;

    PinState state_;
    bool pin_verified_ = false;
    bool puk_verified_ = false;
};

} // namespace cps::vcard
