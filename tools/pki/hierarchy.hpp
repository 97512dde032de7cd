#pragma once

#include "pki/leaf.hpp"

#include <cstdint>
#include <string>

namespace cps::pki {

/// A certification hierarchy in the shape of IGC-Santé's: root, issuing CA of path length 0,
/// leaves. Everything follows from seed and time. Immutable; thread-safe.
class Hierarchy {
public:
    struct Settings {
        std::uint64_t seed = 1;
        EpochSeconds at;         ///< certificates start here
        unsigned ca_bits = 4096; ///< smaller where a test has no time
    };
    /// Makes the two CA keys: some two seconds at 4096 bits.
    explicit Hierarchy(const Settings& settings);

    const Authority& root() const noexcept { return root_; }
    const Authority& issuing() const noexcept { return issuing_; }
    EpochSeconds at() const noexcept { return settings_.at; }

    /// A leaf with its key, signed by the issuing CA (or by itself, if the spec says so).
    Authority issue(const LeafSpec& spec) const;
    /// An OCSP responder's (RFC 6960, 4.2.2.2), named by the issuing CA.
    Authority ocsp_responder() const;

private:
    Settings settings_;
    Authority root_;
    Authority issuing_;
};

inline constexpr int leaf_years = 3;

/// Another hierarchy for TLS: browsers and proxies trust it, cards have nothing to do with it.
Authority tls_authority(std::uint64_t seed, EpochSeconds at);
/// @param host DNS name or numeric address.
Authority tls_server(const Authority& authority, std::uint64_t seed, EpochSeconds at,
                     const std::string& host);

} // namespace cps::pki
