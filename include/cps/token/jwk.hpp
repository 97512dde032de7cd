#pragma once

#include "cps/crypto/public_key.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace cps::token {

/// A P-256 public key as `cnf.jwk`: exactly `crv`, `kty`, `x`, `y` (RFC 7517; RFC 7518, 6.2.1).
/// @throws Error bad_argument for a key of another kind.
boost::json::object to_jwk(const crypto::PublicKey& key);

/// `kid`: the base64url SHA-256 thumbprint of that key (RFC 7638, 3).
/// @throws Error bad_argument for a key of another kind.
std::string thumbprint(const crypto::PublicKey& key);

} // namespace cps::token
