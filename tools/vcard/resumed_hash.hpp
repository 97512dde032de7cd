#pragma once

#include "vcard/rsa_key.hpp"

namespace cps::vcard {

inline constexpr std::size_t hash_block = 64; // octets, SHA-1 and SHA-256 alike

/// Ends a digest that somebody else began: PSO HASH, last round on the card
/// (IAS ECC 1.0.1; ISO/IEC 7816-8:2019, 5.4.9).
/// @param begun empty, or the chaining state (20 or 32 octets) and, in 8 octets big-endian,
///        how many bits went into it: whole blocks.
/// @param rest 1 to 64 octets that are still to be hashed.
/// @return empty when the lengths do not fit.
std::optional<Bytes> finish_hash(Hash hash, ByteView begun, ByteView rest);

} // namespace cps::vcard
