#pragma once

#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"
#include "cps/x509/certificate.hpp"

#include <boost/system/result.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct x509_store_st; // OpenSSL's X509_STORE

namespace cps::x509 {

/// Why a certificate is not believed. Where several faults meet, `weak` of the leaf's own key
/// and signature comes first (it needs no anchor to be seen), then `untrusted`, the dates,
/// `usage`, `policy`.
enum class ChainFault {
    untrusted, ///< no valid path to an anchor, a critical extension nobody knows, a non-CA …
    expired,   ///< the leaf, or an anchor on its path
    not_yet_valid, ///< the same
    usage,         ///< not a card's authentication certificate
    policy,        ///< none of the allowed policies
    weak,          ///< key or digest below, or above, what is accepted
};

/// The pinned anchors (issuing CAs or roots) and the rules of RFC 5280, 6.1 beneath them,
/// through OpenSSL in strict mode. Immutable after loading. Thread-safe.
class TrustStore {
public:
    /// @param pem one or more CA certificates. Errors: malformed_input where there is none, or
    /// one that is not a CA's; too_large.
    static Result<TrustStore> from_pem(std::string_view pem);

    /// Path from `leaf` to an anchor at `at`, for a card's authentication certificate:
    /// dates, RSA 2048 to 4096 with e = 65537, SHA-2 signatures, digitalSignature and
    /// clientAuth, not a CA, `allowed_policies` (dotted OIDs; one must be present unless the
    /// list is empty). Empty when all is well. Looks at nothing outside this process.
    std::optional<ChainFault> check(const Certificate& leaf, EpochSeconds at,
                                    const std::vector<std::string>& allowed_policies) const;
    /// The same, and when all is well the anchor whose key signed `leaf`.
    boost::system::result<Certificate, ChainFault>
    find_issuer(const Certificate& leaf, EpochSeconds at,
                const std::vector<std::string>& allowed_policies) const;

    const std::vector<Certificate>& anchors() const noexcept { return anchors_; }

private:
    TrustStore(std::vector<Certificate> anchors, std::shared_ptr<x509_store_st> store) noexcept
        : anchors_{std::move(anchors)}, store_{std::move(store)}
    {
    }
    std::vector<Certificate> anchors_;
    /// Shared by copies of this object: built once, then only read, under its own lock.
    std::shared_ptr<x509_store_st> store_;
};

} // namespace cps::x509
