#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/clock.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/token/values.hpp"
#include "cps/x509/holder.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cps::verify {

/// What the portal enforces by itself, whatever a token says (docs/token-profile.md).
inline constexpr std::chrono::seconds session_token_life{600}; // from the nonce's own time
inline constexpr std::chrono::hours session_idle{1};           // without a feature token
inline constexpr std::chrono::hours session_max{4};            // renewals and all
inline constexpr unsigned max_session_uses = 10'000; // feature tokens: no agent agrees to more

/// One session that a card opened, as the portal keeps it. `kid` names it.
struct SessionRecord {
    std::string kid;            ///< RFC 7638 thumbprint of the session key
    Bytes point;                ///< the key itself: X ‖ Y on P-256, 64 octets
    std::string portal_session; ///< the portal's own session that it belongs to
    x509::Holder holder;
    crypto::Sha256 certificate_sha256{};
    EpochSeconds certificate_not_after;
    std::string cth; ///< hash of the session token in force
    std::vector<token::Feature> features;
    unsigned limit = 0; ///< feature tokens in all: the least of `lim`, the portal's own and
                        ///< max_session_uses
    EpochSeconds opened;
    EpochSeconds used; ///< last feature token, or the opening
    EpochSeconds ends; ///< of the token in force: the least of `exp` and nonce + 600 s
};

/// How much one account may ask for, in windows of the clock's hour and day; 0: no limit.
struct Quota {
    unsigned per_hour = 0;
    unsigned per_day = 0;
};

/// One feature token that is good in every other way, to be marked as used.
struct Use {
    std::string_view kid, cth, jti;
    std::uint64_t seq = 0;
    EpochSeconds expires_at; ///< until then `jti` is remembered
    std::string_view account;
    Quota quota;
};

} // namespace cps::verify
