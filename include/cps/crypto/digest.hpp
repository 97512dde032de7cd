#pragma once

#include "cps/base/bytes.hpp"

#include <array>
#include <cstddef>

namespace cps::crypto {

enum class DigestAlgorithm { sha1, sha224, sha256, sha384, sha512 };

using Sha256 = std::array<std::uint8_t, 32>;

/// Octets of a digest of that kind: 20 to 64.
std::size_t digest_size(DigestAlgorithm algorithm) noexcept;
Bytes digest(DigestAlgorithm algorithm, ByteView data);
Sha256 sha256(ByteView data);

/// The DER DigestInfo T of EMSA-PKCS1-v1_5 (RFC 8017, 9.2, step 2), which is what
/// CKM_RSA_PKCS signs. @throws Error bad_argument if `value` is not of the digest's size.
Bytes digest_info(DigestAlgorithm algorithm, ByteView value);

} // namespace cps::crypto
