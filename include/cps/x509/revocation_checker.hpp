#pragma once

#include "cps/base/fetcher.hpp"
#include "cps/x509/crl_store.hpp"
#include "cps/x509/ocsp.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cps::x509 {

inline constexpr std::chrono::seconds ocsp_fetch_deadline{3}; // a person waits
/// A responder that failed is not asked again for this long: its deadline is paid once.
inline constexpr std::chrono::seconds ocsp_retry_delay{30};
inline constexpr std::size_t max_cached_ocsp = 16 * 1024; // answers, some 100 octets each

/// Where revocation may be asked about: from the portal's configuration alone.
struct RevocationSources {
    std::vector<std::string> ocsp_urls = {}; ///< tried in order
    std::vector<std::string> crl_urls = {};  ///< complete and delta lists alike
    bool ocsp_nonce_required = false;        ///< many responders answer without (RFC 5019)
    OcspRequest::IssuerHash issuer_hash = OcspRequest::IssuerHash::sha1;
};

/// A portal's one place that says whether a card is revoked: policy, CRLs, stapled and fetched
/// OCSP. Call it only once path and signature are good: it may reach for the network.
/// Thread-safe. A word that a certificate is revoked counts, whichever source it comes from.
class RevocationChecker {
public:
    RevocationChecker(RevocationPolicy policy, RevocationSources sources, CrlStore& crls,
                      Fetcher& fetcher, const Clock& clock);

    /// @param certificate verified. @param staple an OCSPResponse that came with it; may be
    /// empty. CRLs are not fetched here, OCSP answers are where the policy needs one.
    /// `good_until` is at most the certificate's notAfter and an hour from now.
    RevocationVerdict check(const Certificate& certificate, ByteView staple = {});
    /// The same, for who has verified already that `issuer` signed it.
    RevocationVerdict check(const Certificate& certificate, const Certificate& issuer,
                            ByteView staple = {});

    /// Fetches the CRLs. Blocking; to be called at the start and on a timer, by one thread.
    std::vector<CrlStore::Offer> refresh_crls();
    /// Forgets OCSP answers and failures, as a reload does; the CRLs stay.
    void clear();

private:
    using Status = RevocationVerdict::Status;
    struct Known {
        OcspAnswer answer;
        EpochSeconds fresh_until; ///< then it is asked anew
    };

    RevocationVerdict judge(const Certificate& certificate, const Certificate& issuer,
                            ByteView staple);
    RevocationVerdict by_staple(const Certificate& certificate, const Certificate& issuer,
                                ByteView staple);
    RevocationVerdict by_responder(const Certificate& certificate, const Certificate& issuer);
    RevocationVerdict ask(const std::string& url, const Certificate& certificate,
                          const Certificate& issuer);
    RevocationVerdict weigh(const OcspAnswer& answer, EpochSeconds now, bool last_word) const;
    std::optional<RevocationVerdict> known(const Certificate& certificate, bool last_word);
    /// False for a good word from before a known revocation.
    bool remember(const Certificate& certificate, const OcspAnswer& answer);
    bool may_ask(const std::string& url);
    void note_failure(const std::string& url);

    const RevocationPolicy policy_;
    const RevocationSources sources_;
    CrlStore& crls_;
    Fetcher& fetcher_;
    const Clock& clock_;
    std::mutex mutex_; ///< guards the two below; never held while fetching
    std::map<crypto::Sha256, Known> known_;
    std::map<std::string, std::chrono::steady_clock::time_point> failed_;
};

} // namespace cps::x509
