#pragma once

#include "cps/base/clock.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/values.hpp"
#include "cps/verify/store.hpp"
#include "cps/x509/holder.hpp"
#include "cps/x509/trust.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cps::x509 {
class RevocationChecker;
}

namespace cps::verify {

inline constexpr std::size_t max_token_size = 16 * 1024; // octets: 3 times a session token
/// Of a request, feature or revoke token: nginx takes 8,110 octets as one header value and
/// refuses 8,192.
inline constexpr std::size_t max_header_token_size = 7'900; // octets
/// How far two honest clocks may lie apart.
inline constexpr std::chrono::seconds clock_leeway{5};

/// What a portal decides once, from its configuration.
struct Policy {
    token::Origin audience; ///< the portal's own public origin; never taken from a request
    /// Dotted OIDs, one of which a card's certificate must carry; empty allows all.
    std::vector<std::string> certificate_policies;
    // The two below refuse a certificate that does not say.
    std::set<x509::CardType> card_types{x509::CardType::cps, x509::CardType::cpe};
    /// 1.2.250.1.71.1.2.5: 0x00 a card; 0x80, 0x82, 0x83 test cards.
    std::set<int> product_categories{0x00, 0x80, 0x82, 0x83};
};

/// What this one request needs. It comes from the portal's routing and session, never from
/// the token.
struct Expectation {
    token::Kind kind = token::Kind::login;
    /// The portal session that all must belong to. Empty for Kind::revoke alone, where the
    /// agent posts the token by itself, without the portal's cookie: its key says which.
    std::string session;
    std::optional<token::Feature> feature;        ///< for Kind::request and Kind::feature
    std::optional<token::RequestBinding> request; ///< for the same two
    /// The account's national identifiers (its holder and delegates); empty: any holder.
    std::vector<std::string> account_ids;

    /// Kind::session: the portal's own limit on feature tokens; 0: the token's, up to
    /// max_session_uses.
    unsigned limit = 0;
    bool card_only = false;   ///< the feature has `mode = "card"`: no feature token meets it
    bool fresh_nonce = false; ///< the feature wants a nonce of the portal in each token
    std::string account;      ///< whose quota is charged
    Quota quota;
    Bytes staple; ///< an OCSPResponse that came with a card-signed token; may be empty
};

/// The session that a token opened, renewed, used or ended.
struct AcceptedSession {
    std::string kid; ///< what names it in the Store
    bool renewed = false;
    unsigned limit = 0;
    unsigned left = 0; ///< feature tokens
    EpochSeconds ends; ///< of the session token in force
};

/// What the portal may rely on: the certificate's identity and its own records.
struct Accepted {
    x509::Holder holder;
    boost::json::object claims; ///< informative; can only narrow a decision
    crypto::Sha256 certificate_sha256{};
    EpochSeconds certificate_not_after;
    std::optional<AcceptedSession> session; ///< but for login and request
};

/// The portal's verifier: the order of checks of docs/token-profile.md, cheap first, the nonce
/// burnt before any cryptography, nothing fetched or cached before the signature is good.
/// What it has seen of certificates and keys it keeps for at most an hour, bounded.
/// Thread-safe where its Store is; moving it is not.
class Verifier {
public:
    /// @param revocation asked once path and signature are good; null: nobody is. It and the
    /// other references must outlive the verifier.
    Verifier(Policy policy, x509::TrustStore trust, Store& store, const Clock& clock,
             x509::RevocationChecker* revocation = nullptr);
    ~Verifier();
    Verifier(Verifier&&) noexcept;
    Verifier& operator=(Verifier&&) noexcept;

    /// Nothing in a token makes it throw. The nonce, where the kind has one, is burnt once the
    /// token is well formed, of this kind, for this portal and of this time, and stays burnt
    /// whatever follows. A session token opens a session in the store or, with `prev`, renews
    /// one; a feature token is marked as used; a revoke token ends its session.
    /// @param token the compact JWS as received.
    /// @throws Error bad_argument for Kind::request or Kind::feature without feature or
    /// request.
    Verdict<Accepted> verify(std::string_view token, const Expectation& expected) const;
    /// Forgets what is cached of certificates and keys: after a reload of trust or revocation.
    void forget() const;

private:
    struct Caches;
    struct Seen;
    struct Read;
    Verdict<Read> read(std::string_view token, const Expectation& expected,
                       EpochSeconds now) const;
    Verdict<EpochSeconds> burn(const Read& read, const Expectation& expected,
                               EpochSeconds now) const;
    Verdict<Accepted> verify_card(std::string_view token, const Expectation& expected) const;
    Verdict<Accepted> verify_feature(std::string_view token, const Expectation& expected) const;
    Verdict<Accepted> verify_revoke(std::string_view token, const Expectation& expected) const;
    Verdict<std::shared_ptr<const Seen>> believe(const Read& read, const Expectation& expected,
                                                 EpochSeconds now) const;
    Verdict<std::shared_ptr<const Seen>> look_at(const Read& read, EpochSeconds now) const;
    Verdict<AcceptedSession> keep_session(const Read& read, const Expectation& expected,
                                          const Seen& seen, EpochSeconds nonce_issued,
                                          EpochSeconds now) const;
    Verdict<std::shared_ptr<const SessionRecord>>
    session_of(const Read& read, const Expectation& expected, EpochSeconds now) const;
    bool is_signed_by_session(const Read& read, const SessionRecord& record) const;

    Policy policy_;
    x509::TrustStore trust_;
    Store* store_;
    const Clock* clock_;
    x509::RevocationChecker* revocation_;
    std::unique_ptr<Caches> caches_;
};

} // namespace cps::verify
