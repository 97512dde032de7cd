#pragma once

#include "cps/base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace cps::vcard {

/// One after the other.
template <class... Parts>
Bytes join(const Parts&... parts)
{
    Bytes all;
    const auto append = [&all](ByteView part) {
        all.insert(all.end(), part.begin(), part.end());
    };
    (append(parts), ...);
    return all;
}

/// A length of up to 65,535 octets, as BER-TLV and DER write it (ISO/IEC 7816-4:2013, 5.2.2.2).
Bytes length_octets(std::size_t length);
/// `tag` holds one or two octets.
Bytes tag_octets(unsigned tag);

template <class... Parts>
Bytes tlv(unsigned tag, const Parts&... parts)
{
    const auto value = join(parts...);
    return join(tag_octets(tag), length_octets(value.size()), value);
}

/// The octets of hexadecimal digits that stand in our own source.
/// @throws Error internal when they are none.
Bytes octets_of_hex(std::string_view digits);

/// A data object with a one-octet tag and a one-octet length, as MSE and PSO take them.
struct DataObject {
    std::uint8_t tag;
    ByteView value;
};
/// Empty when the objects do not fill `bytes` exactly.
std::optional<std::vector<DataObject>> parse_data_objects(ByteView bytes);
/// The value under `tag`; empty when there is none.
std::optional<ByteView> find_object(const std::vector<DataObject>& objects, std::uint8_t tag);

} // namespace cps::vcard
