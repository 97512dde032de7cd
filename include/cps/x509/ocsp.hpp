#pragma once

#include "cps/x509/certificate.hpp"
#include "cps/x509/revocation.hpp"

#include <boost/system/result.hpp>

#include <optional>

namespace cps::x509 {

inline constexpr std::size_t max_ocsp_response = 64 * 1024; // octets; most have 1,500 to 3,000
inline constexpr std::size_t ocsp_nonce_size = 32;          // octets (RFC 9654, 2.1)

/// A question about one certificate (RFC 6960, 4.1.1).
class OcspRequest {
public:
    enum class IssuerHash { sha1, sha256 }; ///< SHA-1 is what RFC 5019 responders know
    enum class Nonce { without, with };

    static OcspRequest about(const Certificate& certificate, const Certificate& issuer,
                             IssuerHash hash = IssuerHash::sha1, Nonce nonce = Nonce::with);

    const Bytes& der() const noexcept { return der_; }
    /// Empty without one.
    const Bytes& nonce() const noexcept { return nonce_; }

private:
    OcspRequest() = default;
    Bytes der_, nonce_;
};

/// What a responder says of one certificate, under a verified signature and not from the
/// future. How old it may be is for its reader to say.
struct OcspAnswer {
    RevocationVerdict::Status status = RevocationVerdict::Status::unknown;
    EpochSeconds revoked_at;
    RevocationReason reason = RevocationReason::unspecified;
    EpochSeconds this_update;
    std::optional<EpochSeconds> next_update; ///< none: newer ones can be had at any time
    /// Signed by a delegated responder without id-pkix-ocsp-nocheck: whoever relies on the
    /// answer has to ask whether this certificate is revoked (RFC 6960, 4.2.2.2.1).
    std::optional<Certificate> responder_to_check;

    /// Until when a good word may be used: the earlier of nextUpdate and thisUpdate +
    /// `max_age`.
    EpochSeconds good_until(std::chrono::seconds max_age) const;
};

/// What the reader of an answer knows.
struct OcspExpectation {
    const Certificate& certificate;
    const Certificate& issuer; ///< the CA that issued it, verified
    ByteView nonce = {};       ///< what was asked with; empty: none, or a stapled answer
    bool nonce_required = false;
};

/// Reads an OCSPResponse (RFC 6960, 4.2.1) as fetched or stapled: signed by the issuer itself
/// or by a responder that the issuer certified for it (id-kp-OCSPSigning), SHA-2 over RSA 2048
/// or more or P-256 or more; of several single responses about the certificate the worst
/// counts. Does not throw.
boost::system::result<OcspAnswer, RevocationDoubt>
read_ocsp(ByteView response, const OcspExpectation& expected, EpochSeconds now);

/// For `boost::system::result<…, RevocationDoubt>::value()`: a doubt as malformed_input.
[[noreturn]] void throw_exception_from_error(RevocationDoubt why,
                                             const boost::source_location& where);

} // namespace cps::x509
