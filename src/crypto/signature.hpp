#pragma once

#include "cps/crypto/openssl.hpp"
#include "cps/crypto/public_key.hpp"

namespace cps::crypto {

inline constexpr std::size_t p256_size = 32; // octets of a coordinate, of R and of S

/// The key that `algorithm` wants: rsaEncryption, or an EC key on P-256.
bool fits(SignatureAlgorithm algorithm, const EVP_PKEY* key) noexcept;

/// Padding and its parameters, after `context` was initialised for signatures.
bool configure(SignatureAlgorithm algorithm, EVP_PKEY_CTX* context) noexcept;

/// R ‖ S (RFC 7518, 3.4), 64 octets, to the DER Ecdsa-Sig-Value that OpenSSL takes.
Bytes der_from_raw(ByteView raw);
/// And back. @throws Error internal for DER that is none.
Bytes raw_from_der(ByteView der);

} // namespace cps::crypto
