#pragma once

#include "pki/extensions.hpp"
#include "pki/names.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cps::pki {

enum class SigningDigest { sha256, sha1 };

/// A certificate before it is signed (RFC 5280, 4.1).
struct Draft {
    Bytes serial; ///< big-endian, positive
    DistinguishedName subject;
    EpochSeconds not_before;
    EpochSeconds not_after;
    std::vector<Extension> extensions;
    SigningDigest digest = SigningDigest::sha256;
};

/// A key and the certificate that names it. Copies share both.
struct Authority {
    KeyPtr key;
    std::shared_ptr<X509> certificate;

    Bytes der() const { return der_of(i2d_X509, certificate.get()); }
};

/// @param issuer none: signed by `key` itself.
std::shared_ptr<X509> sign_certificate(const Draft& draft, const KeyPtr& key,
                                       const Authority* issuer);

/// RFC 5280, 4.2.1.2 (1): SHA-1 of the BIT STRING of the public key.
Bytes key_identifier(const KeyPtr& key);

TimePtr to_openssl(EpochSeconds time);
std::string certificate_pem(X509* certificate);
/// The first one of a PEM text. @throws Error malformed_input.
std::shared_ptr<X509> certificate_from_pem(std::string_view pem);
/// @throws Error malformed_input.
std::shared_ptr<X509> certificate_from_der(ByteView der);

/// The same day and hour `years` later (29 February becomes 28).
EpochSeconds years_after(EpochSeconds time, int years);

} // namespace cps::pki
