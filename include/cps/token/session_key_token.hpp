#pragma once

#include "cps/base/clock.hpp"
#include "cps/crypto/public_key.hpp"
#include "cps/token/values.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cps::token {

/// Life that the agent gives a feature token, and the longest that a portal takes.
inline constexpr std::chrono::seconds feature_lifetime{30};
inline constexpr std::chrono::seconds max_feature_lifetime{60};

/// What one feature token says; `aud` and `cth` are the session's.
struct FeatureClaims {
    EpochSeconds issued_at;
    EpochSeconds expires_at;
    std::string jti;       ///< 128 random bits, base64url
    std::uint64_t seq = 0; ///< 1, 2, 3 … in its session
    Feature feature;
    RequestBinding request;
    std::optional<Nonce> nonce{}; ///< where the feature's policy wants a fresh one
};

/// Builds what the session key signs for one session token: the signing inputs of feature and
/// revoke tokens. The parts that never change are made once, so that a feature token costs
/// little beside its signature. Immutable; thread-safe.
class SessionKeyTokens {
public:
    /// @param session_token its whole text, which `cth` is the hash of.
    /// @throws Error bad_argument for a key that is not on P-256.
    SessionKeyTokens(const Origin& audience, const crypto::PublicKey& session_key,
                     std::string_view session_token);

    /// @throws Error bad_argument for a life of 0 or above max_feature_lifetime, or `seq` 0.
    std::string feature_input(const FeatureClaims& claims) const;
    /// @param jti 128 random bits, base64url.
    std::string revoke_input(std::string_view jti) const;

    const std::string& token_hash() const noexcept { return cth_; }

private:
    std::string cth_;
    std::string feature_header_; ///< encoded, with the dot after it
    std::string revoke_header_;
    std::string claims_begin_; ///< `{"aud":"…","cth":"…"`
};

} // namespace cps::token
