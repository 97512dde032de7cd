#pragma once

#include "bounded_cache.hpp"
#include "jws.hpp"

#include "cps/verify/verifier.hpp"

#include <algorithm>
#include <optional>

namespace cps::verify {

/// What is wrong, if anything.
using Objection = std::optional<Refusal>;

/// A certificate that was believed, its key decoded. Shared by the cache and those who verify.
struct Verifier::Seen {
    x509::Certificate certificate;
    x509::Holder holder;
    crypto::PublicKey key;
    crypto::Sha256 sha256;
    EpochSeconds from;  ///< when it was looked at
    EpochSeconds until; ///< look again then
};

struct Sha256Hash {
    std::size_t operator()(const crypto::Sha256& digest) const noexcept
    {
        std::size_t value = 0;
        std::copy_n(digest.begin(), sizeof value, reinterpret_cast<std::uint8_t*>(&value));
        return value;
    }
};

/// A header that was read once, to the octet: the same octets mean the same again.
struct KnownHeader {
    Kind kind;
    crypto::SignatureAlgorithm algorithm;
    crypto::Sha256 certificate;
};

inline constexpr std::size_t max_cached = 4096; // of each cache: about 20 MB in all

struct Verifier::Caches {
    BoundedCache<crypto::Sha256, std::shared_ptr<const Seen>, Sha256Hash> certificates{
        max_cached};
    BoundedCache<std::string, KnownHeader> headers{max_cached};
    BoundedCache<std::string, crypto::PublicKey> session_keys{max_cached}; // by `kid`
};

/// A token in the first step, and what its header names.
struct Verifier::Read {
    Jws jws;
    std::string kid;                  ///< of what a session key signs
    std::optional<CardHeader> header; ///< of what a card signs, unless `seen` is known
    crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::es256;
    std::shared_ptr<const Seen> seen;
};

/// The features that the nonce must have been handed out for, and the token be for.
std::vector<token::Feature> needed_features(const Claimed& claimed,
                                            const Expectation& expected);
/// The fourth step of the kinds for one request or none: what it is for.
Objection check_request(const Claimed& claimed, const Expectation& expected);

} // namespace cps::verify
