#pragma once

#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"
#include "cps/token/values.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace cps::token {

/// What a portal hands to a page and the page to the agent (docs/token-profile.md):
/// `{"v":1,"nonce":…,"ts":…,"feat":[…],"ttl":…}`.
struct Challenge {
    static constexpr std::size_t max_size = 4096; // octets of JSON
    static constexpr std::chrono::seconds max_ttl{600};

    Nonce nonce;
    EpochSeconds issued;           ///< `ts`, the portal's clock
    std::vector<Feature> features; ///< at least one, no duplicates
    std::chrono::seconds ttl{0};   ///< capped at max_ttl

    /// Exactly those five members, no duplicate keys. Errors: challenge_invalid.
    static Result<Challenge> parse(std::string_view json);
    std::string to_json() const;
};

} // namespace cps::token
