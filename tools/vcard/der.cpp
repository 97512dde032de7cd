#include "vcard/der.hpp"

#include <algorithm>

namespace cps::vcard::der {

Bytes integer(unsigned value)
{
    Bytes octets{static_cast<std::uint8_t>(value & 0xFFU)};
    while ((value >>= 8) != 0)
        octets.insert(octets.begin(), static_cast<std::uint8_t>(value & 0xFFU));
    if ((octets.front() & 0x80U) != 0)
        octets.insert(octets.begin(), 0); // positive
    return tlv(0x02, octets);
}

Bytes bits(std::initializer_list<unsigned> positions)
{
    Bytes value{0};
    if (positions.size() != 0) {
        const auto last = std::ranges::max(positions);
        value.resize(1 + last / 8 + 1);
        value[0] = static_cast<std::uint8_t>(7 - last % 8);
        for (const auto position : positions)
            value[1 + position / 8] |= static_cast<std::uint8_t>(0x80U >> (position % 8));
    }
    return tlv(0x03, value);
}

Bytes null()
{
    return {0x05, 0x00};
}

Bytes octet_string(ByteView value)
{
    return tlv(0x04, value);
}

Bytes utf8(std::string_view text)
{
    return tlv(0x0C, octets(text));
}

Bytes object_identifier(std::string_view encoded)
{
    return tlv(0x06, octets_of_hex(encoded));
}

} // namespace cps::vcard::der
