#pragma once

#include "pki/openssl.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace cps::pki {

/// An RSA key with e = 65537 that depends on `seed` and `name` alone, not on the version of
/// OpenSSL: the candidates come from a SeedStream, OpenSSL tests them for primality.
/// @param bits of the modulus, a multiple of 16 from 512; below 2048 for keys that verifiers
/// must refuse. @throws Error bad_argument, internal.
KeyPtr rsa_key(std::uint64_t seed, std::string_view name, unsigned bits);

/// PKCS #8, unencrypted (RFC 5958).
std::string private_key_pem(const KeyPtr& key);
/// @throws Error malformed_input.
KeyPtr private_key_from_pem(std::string_view pem);

} // namespace cps::pki
