#include "vcard/tlv.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <algorithm>

namespace cps::vcard {

namespace {

std::uint8_t low_octet(std::size_t number) noexcept
{
    return static_cast<std::uint8_t>(number & 0xFFU);
}

} // namespace

Bytes length_octets(std::size_t length)
{
    if (length < 0x80)
        return {low_octet(length)};
    if (length < 0x100)
        return {0x81, low_octet(length)};
    if (length < 0x10000)
        return {0x82, low_octet(length >> 8), low_octet(length)};
    throw Error{Errc::bad_argument, "a data object is longer than a card can hold"};
}

Bytes tag_octets(unsigned tag)
{
    if (tag < 0x100)
        return {low_octet(tag)};
    return {low_octet(tag >> 8), low_octet(tag)};
}

Bytes octets_of_hex(std::string_view digits)
{
    auto bytes = from_hex(digits);
    if (!bytes)
        throw Error{Errc::internal, "a constant of the card is no hexadecimal"};
    return std::move(*bytes);
}

std::optional<std::vector<DataObject>> parse_data_objects(ByteView bytes)
{
    std::vector<DataObject> objects;
    while (!bytes.empty()) { // a command's data: 255 octets at most
        if (bytes.size() < 2 || bytes[1] >= 0x80 || bytes.size() - 2 < bytes[1])
            return std::nullopt;
        objects.push_back({bytes[0], bytes.subspan(2, bytes[1])});
        bytes = bytes.subspan(2 + std::size_t{bytes[1]});
    }
    return objects;
}

std::optional<ByteView> find_object(const std::vector<DataObject>& objects, std::uint8_t tag)
{
    const auto found = std::ranges::find(objects, tag, &DataObject::tag);
    if (found == objects.end())
        return std::nullopt;
    return found->value;
}

} // namespace cps::vcard
