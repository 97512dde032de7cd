#include "cpx.hpp"
#include "secret_command.hpp"

#include "cps/apdu/tlv.hpp"
#include "cps/apdu/transmit.hpp"
#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <algorithm>
#include <array>

namespace cps::card {
namespace {

constexpr std::size_t max_file_size = 16 * 1024; // octets; a certificate has about 2,200
constexpr std::size_t challenge_size = 8;        // octets at a time
constexpr std::array<std::uint8_t, 5> issuer{0x80, 0x25, 0x00, 0x00, 0x01};
constexpr std::size_t serial_file_size = 12; // octets: 5A 0A and a PAN
constexpr std::uint32_t pan_tag = 0x5A;
constexpr std::size_t serial_digits = 8;

/// The length of the one DER object that the file begins with, so that certificates are not
/// read beyond their end.
std::optional<std::size_t> der_size(ByteView start)
{
    if (start.size() < 4 || start[0] != 0x30 || start[1] != 0x82)
        return std::nullopt;
    return std::size_t{4} + (static_cast<std::size_t>(start[2]) << 8 | start[3]);
}

} // namespace

void refused(apdu::StatusWord status)
{
    throw Error{Errc::card_refused, "the card refused a command", status.raw()};
}

apdu::Response Cpx::send(apdu::Channel& channel, apdu::Command& command)
{
    return apdu::transmit(channel, command);
}

Bytes Cpx::must(apdu::Channel& channel, apdu::Command& command)
{
    auto reply = send(channel, command);
    if (!reply.status.ok())
        refused(reply.status);
    return std::move(reply.data);
}

Bytes Cpx::must(apdu::Channel& channel, apdu::Header h, ByteView data, std::size_t le)
{
    apdu::Command command{h};
    if (!data.empty())
        command.with_data(data);
    if (le != 0)
        command.with_le(le);
    return must(channel, command);
}

void Cpx::enter_application(apdu::Channel& channel)
{
    if (in_application_)
        return;
    select_application(channel);
    in_application_ = true;
}

std::string Cpx::serial(apdu::Channel& channel)
{
    const auto file = read(channel, {0xD0, 0x03});
    apdu::TlvReader reader{file};
    if (file.size() != serial_file_size)
        throw Error{Errc::card_unsupported, "the serial number file has another size"};
    const auto pan = reader.expect(pan_tag);
    if (pan.size() != 10 || !std::ranges::equal(pan.first(issuer.size()), issuer))
        throw Error{Errc::card_unsupported, "the card is of another issuer"};
    const auto digits = to_hex(pan.subspan(issuer.size())).substr(0, serial_digits);
    if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
        throw Error{Errc::card_unsupported, "the serial number has no digits"};
    return digits;
}

Bytes Cpx::read(apdu::Channel& channel, const Path& path)
{
    auto size = select(channel, path);
    // A file of the application makes the application current.
    in_application_ =
        path.size() > 2 && std::ranges::equal(ByteView{path}.first(2), application());
    Bytes file;
    while (!size || file.size() < *size) {
        const auto offset = file.size();
        if (offset >= max_file_size)
            throw Error{Errc::malformed_input, "a file of the card has no end"};
        const auto wanted = size ? std::min(apdu::max_le, *size - offset) : apdu::max_le;
        apdu::Command command{header(0xB0, static_cast<std::uint8_t>(offset >> 8),
                                     static_cast<std::uint8_t>(offset & 0xFF))};
        const auto part = send(channel, command.with_le(wanted));
        if (part.status == apdu::sw::end_of_file && offset != 0)
            break;
        if (!part.status.ok() && part.status != apdu::sw::end_reached)
            refused(part.status);
        file.insert(file.end(), part.data.begin(), part.data.end());
        if (offset == 0 && !size)
            size = der_size(file);
        if (part.data.size() < wanted)
            break;
    }
    if (const auto exact = der_size(file); exact && *exact < file.size())
        file.resize(*exact);
    return file;
}

PinStatus Cpx::pin_status(apdu::Channel& channel, PinRole role)
{
    apdu::Command query{verify_header(role)};
    const auto status = send(channel, query).status;
    if (status.ok())
        return {true, 0};
    if (status == apdu::sw::blocked)
        return {false, 0};
    if (const auto left = status.tries_left())
        return {false, *left};
    refused(status);
}

PinOutcome Cpx::verify(apdu::Channel& channel, PinRole role, ByteView padded)
{
    SecretCommand command{verify_header(role)};
    return pin_outcome(send(channel, command->with_data(padded)).status);
}

Bytes Cpx::random(apdu::Channel& channel, std::size_t size)
{
    Bytes numbers;
    while (numbers.size() < size) {
        apdu::Command get_challenge{header(0x84, 0x00, 0x00)};
        const auto part = must(channel, get_challenge.with_le(challenge_size));
        if (part.size() != challenge_size)
            throw Error{Errc::malformed_input, "the card's random numbers are too few"};
        numbers.insert(numbers.end(), part.begin(), part.end());
    }
    numbers.resize(size);
    return numbers;
}

apdu::Header Cpx::verify_header(PinRole role) const noexcept
{
    return header(0x20, 0x00, static_cast<std::uint8_t>(role));
}

} // namespace cps::card
