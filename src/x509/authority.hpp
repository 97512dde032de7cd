#pragma once

#include "cps/x509/certificate.hpp"
#include "cps/x509/revocation.hpp"

#include <array>
#include <optional>

namespace cps::x509 {

/// Content octets of an INTEGER as a serial or CRL number: positive, at most 20 octets (RFC
/// 5280, 4.1.2.2 and 5.2.3), leading zeros put in, so that comparing compares numbers.
using Serial = std::array<std::uint8_t, 20>;
std::optional<Serial> serial_of(ByteView integer) noexcept;
std::optional<Serial> serial_of(const Certificate& certificate) noexcept;

/// SHA-2 of 256 bits and more with RSA PKCS #1 or ECDSA. RSA-PSS is not among them: no
/// authority that we know signs its lists so.
bool is_strong_signature(int algorithm_nid) noexcept;
/// RSA of 2048 to 8192 bits, or a curve of 256 and more.
bool is_strong_key(const crypto::PublicKey& key) noexcept;

/// `issuer` has the name that `certificate` says and its key made the signature.
bool issued(const Certificate& issuer, const Certificate& certificate);

/// Both certificates are of one name and one key.
bool is_same_authority(const Certificate& one, const Certificate& other);

/// The signature over `data` as it stands is by `authority`.
/// @param algorithm DER AlgorithmIdentifier. Weak ones and weak keys are false.
bool has_signed(const Certificate& authority, ByteView data, ByteView algorithm,
                ByteView signature);

RevocationReason reason_of(long code) noexcept;

} // namespace cps::x509
