#pragma once

#include "cps/base/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cps {

/// Upper-case hexadecimal, two digits an octet; `separator` between octets if not 0.
std::string to_hex(ByteView bytes, char separator = 0);
/// Lower-case, as fingerprints are written.
std::string to_lower_hex(ByteView bytes);
/// Either case; white space between octets is passed over. Nothing else is.
std::optional<Bytes> from_hex(std::string_view text);

/// base64url without padding (RFC 7515, 2; RFC 4648, 5).
std::string to_base64url(ByteView bytes);
/// Strict: no padding, no white space, unused trailing bits zero, so that each value has
/// exactly one spelling.
std::optional<Bytes> from_base64url(std::string_view text);

/// Standard base64 with padding (RFC 4648, 4).
std::string to_base64(ByteView bytes);
/// Strict: padding required, no white space, unused trailing bits zero.
std::optional<Bytes> from_base64(std::string_view text);

} // namespace cps
