#pragma once

#include "vcard/tlv.hpp"

#include <initializer_list>

/// The few DER types that PKCS #15 files are made of (ITU-T X.690).
namespace cps::vcard::der {

template <class... Parts>
Bytes sequence(const Parts&... parts)
{
    return tlv(0x30, parts...);
}

Bytes integer(unsigned value);
/// Named bits, unused ones trimmed.
Bytes bits(std::initializer_list<unsigned> positions);
Bytes null();
Bytes octet_string(ByteView value);
Bytes utf8(std::string_view text);
/// @param encoded the value octets.
Bytes object_identifier(std::string_view encoded);

} // namespace cps::vcard::der
