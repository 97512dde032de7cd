#pragma once

#include "bounded_cache.hpp"
#include "jws.hpp"

#include "cps/crypto/prepared_key.hpp"
#include "cps/verify/verifier.hpp"

#include <algorithm>
#include <atomic>
#include <optional>

namespace cps::verify {

/// What is wrong, if anything.
using Objection = std::optional<Refusal>;

/// A certificate that was believed, its key decoded. Shared by the cache and those who verify.
struct Verifier::Seen {
    x509::Certificate certificate;
    x509::Certificate issuer;
    x509::Holder holder;
    crypto::PublicKey key;
    crypto::Sha256 sha256;
    EpochSeconds from;  ///< when it was looked at
    EpochSeconds until; ///< look again then

    bool counts_at(EpochSeconds now) const noexcept { return from <= now && now < until; }
};

struct Sha256Hash {
    std::size_t operator()(const crypto::Sha256& digest) const noexcept
    {
        std::size_t value = 0;
        std::copy_n(digest.begin(), sizeof value, reinterpret_cast<std::uint8_t*>(&value));
        return value;
    }
};

inline constexpr std::size_t max_cached = 4096; // of each cache: about 40 MB in all
/// Octets of a header, encoded, that is worth keeping: a card's has some 4,100.
inline constexpr std::size_t max_cached_header = 8 * 1024;

struct Verifier::Caches {
    /// A header that was read once, to the octet: the same octets mean the same again.
    struct Header {
        Kind kind;
        std::shared_ptr<const Seen> seen;
        std::shared_ptr<const crypto::PreparedKey> key;
    };
    BoundedCache<crypto::Sha256, std::shared_ptr<const Seen>, Sha256Hash> certificates{
        max_cached};
    BoundedCache<std::string, Header> headers{max_cached};
    BoundedCache<std::string, std::shared_ptr<const crypto::PreparedKey>> session_keys{
        max_cached}; // by `kid`
    std::atomic<std::uint64_t> age{0};
};

/// A token in the first step, and what its header names.
struct Verifier::Read {
    std::uint64_t begun; ///< the caches' age
    Jws jws;
    std::string kid;                  ///< of what a session key signs
    std::optional<CardHeader> header; ///< of what a card signs, unless it is known:
    std::shared_ptr<const Seen> seen; ///< the certificate in it
    std::shared_ptr<const crypto::PreparedKey> key; ///< and its key
};

/// The features that the nonce must have been handed out for, and the token be for.
std::vector<token::Feature> needed_features(const Claimed& claimed,
                                            const Expectation& expected);
/// The fourth step of the kinds for one request or none: what it is for.
Objection check_request(const Claimed& claimed, const Expectation& expected);

} // namespace cps::verify
