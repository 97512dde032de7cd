#include "vcard/sdo.hpp"

#include "vcard/tlv.hpp"

#include <optional>

namespace cps::vcard {

namespace {

// Classes, without the bit 80 that says "of the current directory".
constexpr std::uint8_t class_pin = 0x01;
constexpr std::uint8_t class_private_key = 0x10;
constexpr std::uint8_t class_security_environment = 0x7B;
constexpr std::uint8_t current_directory_bit = 0x80;

constexpr unsigned tag_control_parameters = 0xA0;
constexpr unsigned tag_pin_data = 0x7F41;
constexpr unsigned tag_private_key_data = 0x7F48;

struct Request {
    std::uint8_t class_octet;
    std::uint8_t reference;
    unsigned tag;
};

std::optional<Request> parse_request(ByteView bytes)
{
    constexpr std::size_t around_tag = 9; // five octets, class, reference, length … 80
    const auto size = bytes.size();
    const auto tag_size = size - around_tag;
    if (size <= around_tag || tag_size > 2)
        return std::nullopt;
    const bool framed = bytes[0] == 0x4D && bytes[1] == size - 2 && bytes[2] == 0x70 &&
                        bytes[3] == size - 4 && bytes[4] == 0xBF && bytes[7] == size - 8 &&
                        bytes[size - 1] == 0x80;
    if (!framed)
        return std::nullopt;
    const auto tag = tag_size == 1 ? unsigned{bytes[8]} : (unsigned{bytes[8]} << 8) | bytes[9];
    return Request{bytes[5], bytes[6], tag};
}

Bytes octet(unsigned value)
{
    return {static_cast<std::uint8_t>(value)};
}

Bytes access_rule(std::string_view digits)
{
    return tlv(0xA1, tlv(0x8C, octets_of_hex(digits)));
}

/// The two control answers are published; the data answers are ours.
std::optional<Bytes> pin_body(Code code, unsigned tag, const PinState& state)
{
    const bool is_pin = code == Code::pin;
    if (tag == tag_pin_data)
        return tlv(tag, tlv(0x80, octet(8)),
                   tlv(0x81, octet(is_pin ? pin_digits : puk_digits)));
    if (tag != tag_control_parameters)
        return std::nullopt;
    if (is_pin)
        return tlv(tag, tlv(0x9A, octet(max_pin_tries)), tlv(0x9B, octet(state.pin_tries)),
                   access_rule("F3000013FF00"));
    return tlv(tag, tlv(0x9A, octet(max_puk_tries)), tlv(0x9B, octet(state.puk_tries)),
               tlv(0x9D, Bytes{0x00, static_cast<std::uint8_t>(state.puk_uses)}),
               access_rule("F3FF00FFFF00"));
}

std::optional<Bytes> key_body(std::uint8_t reference, unsigned tag)
{
    const bool signature = reference == 1;
    if (tag == tag_private_key_data)
        return tlv(tag, tlv(0x80, octet(1)));
    if (tag != tag_control_parameters)
        return std::nullopt;
    return tlv(tag, access_rule(signature ? "4311FF00" : "331111FF00"),
               tlv(0x80, Bytes{0x01, 0x00}), // 256 octets
               tlv(0x9E, octet(signature ? 1 : 0)));
}

std::optional<Bytes> body_of(const Request& request, SdoScope scope, const PinState& pins)
{
    const auto kind = request.class_octet & ~current_directory_bit;
    const auto reference = request.reference;
    const bool one_of_two = reference == 1 || reference == 2;
    if (kind == class_pin && scope == SdoScope::master && one_of_two)
        return pin_body(static_cast<Code>(reference), request.tag, pins);
    if (kind == class_private_key && scope == SdoScope::application && one_of_two)
        return key_body(reference, request.tag);
    if (kind == class_security_environment && scope == SdoScope::master)
        return tlv(0x7B, tlv(0xA4, Bytes{0x83, 0x01, 0x01}, Bytes{0x95, 0x01, 0x08}));
    return std::nullopt;
}

} // namespace

Reply get_security_data_object(ByteView bytes, SdoScope scope, const PinState& pins)
{
    const auto request = parse_request(bytes);
    if (!request)
        return Status::wrong_data;
    const auto body = body_of(*request, scope, pins);
    if (!body)
        return Status::reference_not_found;
    const Bytes name{0xBF, request->class_octet, request->reference};
    return tlv(0x70, name, length_octets(body->size()), *body);
}

} // namespace cps::vcard
