#pragma once

#include "cps/base/fetcher.hpp"
#include "cps/x509/certificate.hpp"
#include "cps/x509/revocation.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace cps::x509 {

inline constexpr std::size_t max_crl_size = 32 * 1024 * 1024; // octets; IGC-Santé's: some MB
/// Entries of one CRL: 1.5 million professionals' cards, four times over, would not all be
/// revoked at once.
inline constexpr std::size_t max_crl_entries = 1'000'000;
/// For one CRL. 32 MiB in that time is 4.5 Mbit/s.
inline constexpr std::chrono::seconds crl_fetch_deadline{60};

class Crl;

/// The CRLs (RFC 5280, 5) of the pinned authorities, complete and delta, complete in scope or
/// split by distribution point. Each is verified before its entries are read, and kept as a
/// sorted set of serials. Thread-safe: look-ups go on while a new list is read.
class CrlStore {
public:
    /// What became of one CRL that was offered.
    struct Offer {
        std::string name; ///< file or URL
        enum class Outcome { taken, unchanged, refused } outcome = Outcome::refused;
        RevocationDoubt why = RevocationDoubt::no_source; ///< refused
    };

    /// @param authorities the pinned CAs (TrustStore::anchors()); only their CRLs count.
    /// @param cache a folder of this program's own: lists taken are written there and read
    /// again, verified anew, when the next CrlStore starts. Empty: none.
    CrlStore(std::vector<Certificate> authorities, const Clock& clock,
             std::filesystem::path cache = {});
    ~CrlStore();
    CrlStore(const CrlStore&) = delete;
    CrlStore& operator=(const CrlStore&) = delete;

    /// Takes one CRL if it is right and no older than what is here.
    /// @param octets DER, or PEM with one CRL.
    Offer offer(ByteView octets, std::string name = {});
    /// A file, or every file of a folder named `*.crl`, `*.der` or `*.pem` (not below it), at
    /// most 256. A path that cannot be read is one refused offer.
    std::vector<Offer> load(const std::filesystem::path& path);
    /// Fetches each and offers it. Blocking.
    /// @param urls from a configuration, never from a certificate that nobody has verified.
    std::vector<Offer> refresh(Fetcher& fetcher, const std::vector<std::string>& urls);
    /// What the cache held when this store was made.
    const std::vector<Offer>& remembered() const noexcept { return remembered_; }

    /// What the lists say of a certificate now. A revocation counts however old its list is.
    RevocationVerdict check(const Certificate& certificate,
                            const RevocationPolicy& policy) const;
    /// The same, for who has verified already that `issuer` signed it.
    RevocationVerdict check(const Certificate& certificate, const Certificate& issuer,
                            const RevocationPolicy& policy) const;
    /// The pinned authority whose key signed `certificate`; nullptr if none did.
    const Certificate* issuer_of(const Certificate& certificate) const;
    /// Certificates called revoked, all lists together.
    std::size_t size() const;

private:
    /// The issuer's place in `authorities_`, and what its issuingDistributionPoint hashes to.
    using Scope = std::pair<std::size_t, crypto::Sha256>;
    struct Lists {
        std::shared_ptr<const Crl> complete, delta; // shared with look-ups under way
    };

    Offer take(ByteView octets, std::string name, bool write);
    void keep(const Scope& scope, const Crl& crl, ByteView der) const;

    const std::vector<Certificate> authorities_;
    const Clock& clock_;
    const std::filesystem::path cache_;
    std::vector<Offer> remembered_;
    std::mutex offering_;      ///< held while a list is compared and cached
    mutable std::mutex mutex_; ///< guards lists_
    std::map<Scope, Lists> lists_;
};

} // namespace cps::x509
