#pragma once

#include "cps/base/bytes.hpp"

#include <string>

namespace cps::card {

/// The parts of a certificate that Cryptoki hands out as they stand, in DER (RFC 5280, 4.1).
/// Nothing is believed because of them.
struct CertificateFields {
    Bytes serial_number; ///< with its INTEGER tag
    Bytes issuer;
    Bytes subject;
    Bytes spki;
    Bytes modulus;          ///< unsigned, no leading 00; empty for a key that is not RSA
    Bytes public_exponent;  ///< likewise
    std::string not_before; ///< "YYYYMMDD", or empty
    std::string not_after;
};

/// @throws Error malformed_input.
CertificateFields parse_certificate(ByteView der);

} // namespace cps::card
