#include "cps/pcsc/pin_pad.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace cps::pcsc {
namespace {

constexpr std::uint32_t get_feature_request = 0x42000000 + 3400; // CM_IOCTL_GET_FEATURE_REQUEST
constexpr std::uint8_t verify_pin_direct = 0x06;
constexpr std::uint8_t modify_pin_direct = 0x07;
constexpr std::uint8_t patience = 30;            // seconds, for the first digit and each other
constexpr std::uint8_t ascii_in_octets = 0x82;   // bmFormatString: octets, left, ASCII
constexpr std::uint8_t on_validation_key = 0x02; // bEntryValidationCondition
constexpr std::uint8_t confirm_and_ask_old = 0x03; // bConfirmPIN
constexpr std::uint16_t french = 0x040C;           // wLangId
constexpr std::chrono::milliseconds removal{1000}; // pcscd hears of it within 0.4 s

// Readers that announce a PIN pad and have none that can be used. A row: a part of the name,
// who says so.
constexpr std::array<std::string_view, 3> liars{
    "HP USB CCID Smartcard Keyboard", // "bogus and unsafe": CCID driver, README of 1.4.15
    "Skylab USB Smartcard Keyboard",  // announces a pad, has none: CCID issue 65, 2020-02
    "Smart@Link",                     // announces a pad, has none: CCID issue 16, 2016-04
};

void put16(Bytes& out, std::uint16_t value)
{
    out.push_back(static_cast<std::uint8_t>(value & 0xFF));
    out.push_back(static_cast<std::uint8_t>(value >> 8));
}

void put32(Bytes& out, std::uint32_t value)
{
    put16(out, static_cast<std::uint16_t>(value & 0xFFFF));
    put16(out, static_cast<std::uint16_t>(value >> 16));
}

/// The command with `pins` empty PIN blocks in it, after its length.
void put_template(Bytes& out, apdu::Header h, const PadFormat& format, std::uint8_t pins)
{
    const auto size = static_cast<std::uint8_t>(format.stored_size * pins);
    put32(out, 5U + size);
    out.insert(out.end(), {h.cla, h.ins, h.p1, h.p2, size});
    out.insert(out.end(), size, format.padding);
}

std::uint16_t extra_digit(const PadFormat& format)
{
    return static_cast<std::uint16_t>(format.min_size << 8 | format.max_size);
}

/// One entry at the reader.
Result<apdu::StatusWord> enter(Connection& connection, std::uint32_t code, const Bytes& in)
{
    const auto control = connection.control(code, in);
    if (!control && control.error().code() == Errc::card_mute && connection.card_gone(removal))
        return Error{Errc::card_removed, "the card was pulled during the entry"};
    if (!control)
        return control.error();
    if (control->size() < 2)
        return Error{Errc::malformed_input, "the PIN pad's answer has no status word"};
    const auto raw = static_cast<std::uint16_t>((*control)[control->size() - 2] << 8 |
                                                (*control)[control->size() - 1]);
    switch (raw) { // the reader's own words
    case 0x6400: return Error{Errc::pin_timeout, "nobody typed at the PIN pad", raw};
    case 0x6401: return Error{Errc::pin_cancelled, "the PIN pad's entry was cancelled", raw};
    case 0x6402: return Error{Errc::pin_cancelled, "the two new PINs differ", raw};
    case 0x6403:
        return Error{Errc::pin_cancelled, "the PIN has too few or too many digits", raw};
    default: return apdu::StatusWord{raw};
    }
}

} // namespace

std::optional<PinPad> PinPad::of(Connection& connection, std::string_view reader)
{
    if (std::ranges::any_of(liars, [&](std::string_view liar) {
            return reader.find(liar) != std::string_view::npos;
        }))
        return std::nullopt;
    const auto features = connection.control(get_feature_request, {});
    if (!features)
        return std::nullopt;
    std::uint32_t verify = 0;
    std::uint32_t modify = 0;
    constexpr std::size_t row = 6; // tag, length 4, control code big-endian
    for (ByteView rest{*features}; rest.size() >= row && rest[1] == 4;
         rest = rest.subspan(row)) {
        const auto code = static_cast<std::uint32_t>(rest[2]) << 24 |
                          static_cast<std::uint32_t>(rest[3]) << 16 |
                          static_cast<std::uint32_t>(rest[4]) << 8 | rest[5];
        if (rest[0] == verify_pin_direct)
            verify = code;
        else if (rest[0] == modify_pin_direct)
            modify = code;
    }
    if (verify == 0)
        return std::nullopt;
    return PinPad{verify, modify};
}

Result<apdu::StatusWord> PinPad::verify(Connection& connection, apdu::Header header,
                                        const PadFormat& format) const
{
    Bytes in{patience, patience, ascii_in_octets, format.stored_size, 0};
    put16(in, extra_digit(format));
    in.insert(in.end(), {on_validation_key, 1}); // one message to show
    put16(in, french);
    in.insert(in.end(), {0, 0, 0, 0}); // the first message; prologue of T=1
    put_template(in, header, format, 1);
    return enter(connection, verify_, in);
}

Result<apdu::StatusWord> PinPad::modify(Connection& connection, apdu::Header header,
                                        const PadFormat& format) const
{
    if (!can_modify())
        return Error{Errc::not_supported, "the PIN pad cannot change a PIN"};
    // The old PIN goes to the start of the data, the new one behind its block.
    Bytes in{patience, patience, ascii_in_octets, format.stored_size, 0, 0, format.stored_size};
    put16(in, extra_digit(format));
    in.insert(in.end(), {confirm_and_ask_old, on_validation_key, 3}); // three messages
    put16(in, french);
    in.insert(in.end(), {0, 1, 2, 0, 0, 0}); // which they are; prologue of T=1
    put_template(in, header, format, 2);
    return enter(connection, modify_, in);
}

} // namespace cps::pcsc
