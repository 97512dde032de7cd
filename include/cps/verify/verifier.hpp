#pragma once

#include "cps/base/clock.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/values.hpp"
#include "cps/verify/store.hpp"
#include "cps/x509/holder.hpp"
#include "cps/x509/trust.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cps::verify {

inline constexpr std::size_t max_token_size = 16 * 1024; // octets: 3 times a session token
/// Of a request token: nginx takes 8,110 octets as one header value and refuses 8,192.
inline constexpr std::size_t max_header_token_size = 7'900; // octets
/// How far two honest clocks may lie apart.
inline constexpr std::chrono::seconds clock_leeway{5};

struct CardJws;

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
    std::string session;                   ///< the portal session that the nonce must belong to
    std::optional<token::Feature> feature; ///< none: login
    std::optional<token::RequestBinding> request; ///< for Kind::request
    /// The account's national identifiers (its holder and delegates); empty: any holder.
    std::vector<std::string> account_ids;
};

/// What the portal may rely on: the certificate's identity and its own records.
struct Accepted {
    x509::Holder holder;
    boost::json::object claims; ///< informative; can only narrow a decision
    crypto::Sha256 certificate_sha256{};
    EpochSeconds certificate_not_after;
};

/// The portal's verifier: the order of checks of docs/token-profile.md, cheap first, the nonce
/// burnt before any cryptography. Thread-safe where its Store is.
class Verifier {
public:
    Verifier(Policy policy, x509::TrustStore trust, Store& store, const Clock& clock)
        : policy_{std::move(policy)}, trust_{std::move(trust)}, store_{store}, clock_{clock}
    {
    }

    /// Card-signed tokens (login, request); any other `expected.kind` is typ_refused. Nothing
    /// in a token makes it throw. The nonce is burnt once the token is well formed, of this
    /// kind, for this portal and of this time, and stays burnt whatever follows.
    /// @param token the compact JWS as received.
    /// @throws Error bad_argument for Kind::request without feature or request.
    Verdict<Accepted> verify(std::string_view token, const Expectation& expected) const;

private:
    /// The third step: certificate, then signature; claims are left empty.
    Verdict<Accepted> believe(const CardJws& jws, EpochSeconds now) const;

    Policy policy_;
    x509::TrustStore trust_;
    Store& store_;
    const Clock& clock_;
};

} // namespace cps::verify
