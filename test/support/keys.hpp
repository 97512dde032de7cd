#pragma once

#include "cps/crypto/private_key.hpp"

namespace cps::test {

/// An RSA key made now; `exponent` odd.
crypto::PrivateKey make_rsa(unsigned bits, unsigned exponent = 65537);
/// A key on a named curve, "P-256", "P-384" …
crypto::PrivateKey make_ec(const char* group);
/// An RSA public key from its numbers (big-endian).
crypto::PublicKey rsa_public(ByteView n, ByteView e);

} // namespace cps::test
