#pragma once

#include "authority.hpp"
#include "cps/x509/crl_store.hpp"

#include <boost/system/result.hpp>

namespace cps::x509 {

/// One CRL (RFC 5280, 5), verified. Immutable.
class Crl {
public:
    struct Entry {
        Serial serial{};
        RevocationReason reason = RevocationReason::unspecified;
        EpochSeconds at;
    };

    /// Its signature is verified before its entries are read, so that what is not an
    /// authority's costs no memory.
    static boost::system::result<Crl, RevocationDoubt>
    read(ByteView der, const std::vector<Certificate>& authorities, EpochSeconds now);

    std::size_t authority() const noexcept { return authority_; } ///< its place
    /// DER of issuingDistributionPoint's value; empty without one.
    const Bytes& scope() const noexcept { return scope_; }
    /// `certificate`, one of this authority's, is in that scope.
    bool speaks_of(const Certificate& certificate) const;
    const std::optional<Serial>& number() const noexcept { return number_; }
    /// Of a delta: the oldest complete list that it completes.
    const std::optional<Serial>& base() const noexcept { return base_; }
    EpochSeconds this_update() const noexcept { return this_update_; }
    EpochSeconds next_update() const noexcept { return next_update_; }
    const crypto::Sha256& sha256() const noexcept { return sha256_; }
    const Entry* find(const Serial& serial) const noexcept;
    std::size_t size() const noexcept { return entries_.size(); }

    /// `this` may not take the place of `present`, a list of the same kind and scope.
    bool is_older_than(const Crl& present) const noexcept;
    /// `this`, a delta, brings `complete` up to date (RFC 5280, 5.2.4).
    bool completes(const Crl& complete) const noexcept;

private:
    friend class CrlReader;
    Crl() = default;

    std::size_t authority_ = 0;
    Bytes scope_;
    std::optional<Bytes> point_; ///< the GeneralNames of the scope's distribution point
    bool user_only_ = false;
    std::optional<Serial> number_, base_;
    EpochSeconds this_update_, next_update_;
    crypto::Sha256 sha256_{};
    std::vector<Entry> entries_; ///< by serial; of one serial, revocations before removals
};

} // namespace cps::x509
