#pragma once

#include "cps/crypto/digest.hpp"
#include "cps/crypto/public_key.hpp"

namespace cps::crypto {

/// Whether `signature` is EMSA-PKCS1-v1_5 around exactly this T, which may be any octets
/// (RFC 8017, 8.2.2 with the encoding compared whole).
bool is_pkcs1_signature_of(const PublicKey& key, ByteView t, ByteView signature);

/// Whether `signature` is EMSA-PSS of this digest, MGF1 with the same hash and a salt as long
/// as it (RFC 8017, 8.1.2).
bool is_pss_signature_of(const PublicKey& key, DigestAlgorithm algorithm, ByteView digest,
                         ByteView signature);

} // namespace cps::crypto
