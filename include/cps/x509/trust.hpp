#pragma once

#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"
#include "cps/x509/certificate.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace cps::x509 {

/// Why a certificate is not believed. `fault_code` gives the verifier's refusal code.
enum class ChainFault { untrusted, expired, not_yet_valid, usage, policy, weak };

/// The pinned anchors (issuing CAs or roots) and the rules of RFC 5280, 6.1 beneath them,
/// through OpenSSL in strict mode. Immutable after loading. Thread-safe.
class TrustStore {
public:
    /// @param pem one or more CA certificates. Errors: malformed_input where there is none.
    static Result<TrustStore> from_pem(std::string_view pem);

    /// Path from `leaf` to an anchor at `at`, for a card's authentication certificate:
    /// dates, RSA 2048 to 4096 with e = 65537, SHA-2 signatures, digitalSignature and
    /// clientAuth, not a CA, `allowed_policies` (dotted OIDs; one must be present unless the
    /// list is empty). Empty when all is well. Looks at nothing outside this process.
    std::optional<ChainFault> check(const Certificate& leaf, EpochSeconds at,
                                    const std::vector<std::string>& allowed_policies) const;

    const std::vector<Certificate>& anchors() const noexcept { return anchors_; }

private:
    explicit TrustStore(std::vector<Certificate> anchors) noexcept
        : anchors_{std::move(anchors)}
    {
    }
    std::vector<Certificate> anchors_;
};

} // namespace cps::x509
