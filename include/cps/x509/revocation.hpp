#pragma once

#include "cps/base/clock.hpp"

#include <chrono>
#include <string_view>

namespace cps::x509 {

/// How far the clocks of an authority and of this machine may lie apart.
inline constexpr std::chrono::minutes revocation_clock_leeway{5};

/// What a portal wants to know of a card before it believes it. Explicit: nothing is checked
/// in half.
struct RevocationPolicy {
    enum class Require {
        ocsp,   ///< an OCSP answer, stapled or fetched
        crl,    ///< the issuer's CRL
        either, ///< whichever says something; the CRL is asked first, since it is here
        none,   ///< nothing is looked at
    };
    enum class WhenDown {
        soft, ///< the last good word counts until its maximum age, past its nextUpdate
        hard, ///< revocation_unknown
    };
    Require require = Require::either;
    WhenDown when_down = WhenDown::hard;
    /// From thisUpdate. IGC-Santé's CRLs are made daily and hold for some days.
    std::chrono::seconds max_crl_age = std::chrono::days{7};
    /// From thisUpdate. It bounds how long the holder of a revoked card may staple an answer
    /// from before.
    std::chrono::seconds max_ocsp_age = std::chrono::hours{12};
};

/// Why nothing can be said of a certificate.
enum class RevocationDoubt {
    no_source,     ///< no CRL is loaded, no responder configured, nothing stapled
    unreachable,   ///< nobody answered in time
    not_an_answer, ///< an error of the responder's, or octets that are neither CRL nor OCSP
    too_large,
    wrong_issuer,      ///< not by the authority that issued the certificate
    bad_signature,     ///< wrong, weak, or by a responder that may not answer
    unsupported,       ///< a critical extension, or a scope that leaves this certificate out
    future_dated,      ///< thisUpdate lies ahead
    stale,             ///< past nextUpdate or the maximum age
    rolled_back,       ///< older than what was seen already
    nonce_mismatch,    ///< missing where required, or another's
    other_certificate, ///< the answer does not speak of this certificate
    not_known,         ///< the responder does not know this certificate
};

/// RFC 5280, 5.3.1. The numbers are the standard's.
enum class RevocationReason {
    unspecified = 0,
    key_compromise = 1,
    ca_compromise = 2,
    affiliation_changed = 3,
    superseded = 4,
    cessation_of_operation = 5,
    certificate_hold = 6,
    remove_from_crl = 8,
    privilege_withdrawn = 9,
    aa_compromise = 10,
};

/// What is known of one certificate. Only the members of its status mean something.
struct RevocationVerdict {
    enum class Status { good, revoked, unknown };

    static RevocationVerdict good(EpochSeconds until);
    static RevocationVerdict revoked(EpochSeconds at, RevocationReason reason);
    static RevocationVerdict unknown(RevocationDoubt why);

    bool is_good() const noexcept { return status == Status::good; }
    bool is_revoked() const noexcept { return status == Status::revoked; }
    bool is_unknown() const noexcept { return status == Status::unknown; }

    Status status = Status::unknown;
    EpochSeconds good_until; ///< good: ask again then; at most 1 h from now
    EpochSeconds revoked_at; ///< revoked
    RevocationReason reason = RevocationReason::unspecified; ///< revoked
    RevocationDoubt why = RevocationDoubt::no_source;        ///< unknown
};

/// A good verdict is not kept longer than this, whatever its source allows.
inline constexpr std::chrono::hours max_verdict_life{1};

/// For logs and operators: "stale", "bad_signature".
std::string_view name_of(RevocationDoubt why) noexcept;
/// RFC 5280's spelling: "keyCompromise".
std::string_view name_of(RevocationReason reason) noexcept;

} // namespace cps::x509
