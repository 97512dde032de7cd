#pragma once

#include <openssl/asn1.h>

#include <optional>
#include <string>

namespace cps::x509 {

/// An ASN.1 string of any kind as UTF-8. TeletexString (T61) is taken for Latin-1, which is
/// what CAs have always put there. Empty for one that is empty, longer than 256 octets, not
/// valid in its own encoding, or holds a control character: those only ever forge log lines.
std::optional<std::string> utf8_of(const ASN1_STRING* string);

} // namespace cps::x509
