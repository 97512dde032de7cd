#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/clock.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

/// Just enough DER (X.690) to write certificate extensions as their standards print them.
namespace cps::pki::der {

Bytes tagged(std::uint8_t tag, ByteView contents);
Bytes sequence(std::initializer_list<Bytes> parts);
Bytes integer(unsigned value); ///< at most 127
Bytes octet_string(ByteView contents);
Bytes oid(std::string_view dotted); ///< @throws Error bad_argument
Bytes printable_string(std::string_view text);
Bytes utf8_string(std::string_view text);
Bytes ia5_string(std::string_view text);
/// GeneralizedTime's contents, `YYYYMMDDHHMMSSZ`.
std::string generalized_time(EpochSeconds time);
/// Context-specific tag, `[n]`: constructed holds other values, primitive holds octets.
Bytes constructed(unsigned n, ByteView contents);
Bytes primitive(unsigned n, ByteView contents);
/// BIT STRING of named bits (X.690, 11.2.2: trailing zero bits dropped).
/// @param mask bit n stands for named bit n.
Bytes named_bits(unsigned mask);

} // namespace cps::pki::der
