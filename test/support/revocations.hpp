#pragma once

#include "support/certificates.hpp"

#include "cps/base/clock.hpp"
#include "cps/base/fetcher.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cps::test {

/// Time that a test moves: calendar and steady clock together.
class MovedClock final : public Clock {
public:
    explicit MovedClock(EpochSeconds now) : now_{now} {}
    EpochSeconds now() const override { return now_; }
    std::chrono::steady_clock::time_point steady() const override
    {
        return std::chrono::steady_clock::time_point{} + now_.time_since_epoch();
    }
    void advance(std::chrono::seconds by) { now_ += by; }

private:
    EpochSeconds now_;
};

/// Answers with whatever the test says, and remembers what it was asked.
class ScriptedFetcher final : public Fetcher {
public:
    Result<Bytes> fetch(const FetchRequest& request) override
    {
        asked.push_back(request);
        return answer(request);
    }
    std::vector<FetchRequest> asked;
    std::function<Result<Bytes>(const FetchRequest&)> answer = [](const FetchRequest&) {
        return Error{Errc::no_service, "nobody listens"};
    };
};

/// One line of a CRL.
struct RevokedSpec {
    std::string serial; ///< hexadecimal
    std::optional<int> reason = 1;
    EpochSeconds at = issue_time;
    std::vector<pki::Extension> more = {};
};

struct CrlSpec {
    std::optional<long long> number = 1;
    std::optional<long long> base = {}; ///< a delta's
    EpochSeconds this_update = issue_time;
    std::optional<EpochSeconds> next_update = issue_time + std::chrono::days{3};
    std::vector<RevokedSpec> revoked = {};
    std::vector<pki::Extension> more = {};  ///< issuingDistributionPoint, odd ones
    const pki::Authority* issuer = nullptr; ///< none: the test hierarchy's issuing CA
    const pki::Authority* key_of = nullptr; ///< who signs in its name; none: itself
    bool sha1 = false;
    long version = 1; ///< as encoded: 1 is v2
};
Bytes crl_of(const CrlSpec& spec);
std::string serial_of(const x509::Certificate& certificate);
/// DER of issuingDistributionPoint. @param uri empty: no distribution point.
/// @param flags context tags 1 to 5 that say TRUE.
pki::Extension issuing_point(const std::string& uri, const std::vector<unsigned>& flags = {});

/// One SingleResponse.
struct SingleSpec {
    const x509::Certificate* about;
    int status = 0; ///< V_OCSP_CERTSTATUS_*
    EpochSeconds this_update = issue_time;
    std::optional<EpochSeconds> next_update = issue_time + std::chrono::hours{1};
    bool sha256 = false;
    bool critical_extension = false;
};
struct OcspSpec {
    std::vector<SingleSpec> singles;
    Bytes nonce = {};
    const pki::Authority* signer = nullptr; ///< none: the CA's usual responder
    bool named_by_key = false;
    bool without_certificates = false;
    bool sha1 = false;
    bool critical_extension = false;
};
Bytes ocsp_of(const OcspSpec& spec);

/// A responder's certificate that is, or is not, as it should be.
struct ResponderSpec {
    bool ocsp_signing = true;
    bool no_check = true;
    unsigned bits = 2048;
    bool sha1 = false;
    EpochSeconds not_before = issue_time;
    std::chrono::seconds life = std::chrono::days{365};
    const pki::Authority* issuer = nullptr; ///< none: the test hierarchy's issuing CA
};
pki::Authority responder_of(const ResponderSpec& spec);

/// The CA that cards are issued by, and one of its name with another key.
x509::Certificate issuing_authority();
const pki::Authority& impostor();

} // namespace cps::test
