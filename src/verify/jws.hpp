#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/clock.hpp"
#include "cps/crypto/public_key.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/values.hpp"
#include "cps/verify/store.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cps::verify {

using token::Kind;

/// `cnf.jwk`, a point on P-256, and what a session token says beside it.
struct ClaimedSession {
    crypto::PublicKey key;
    std::string kid; ///< its thumbprint
    unsigned limit = 0;
    std::optional<std::string> previous; ///< `prev`: of a renewal
};

/// What a token claims, as it spells it: what its kind does not have stays empty.
struct Claimed {
    std::string audience;
    std::string jti;
    EpochSeconds issued_at; ///< not in a revoke token
    EpochSeconds expires_at;
    std::string subject;
    std::optional<token::Nonce> nonce;
    std::vector<token::Feature> features;
    token::RequestBinding request;
    std::optional<ClaimedSession> session;
    std::string cth;
    std::uint64_t seq = 0;
};

/// The JOSE header of what a card signs.
struct CardHeader {
    crypto::SignatureAlgorithm algorithm;
    Bytes certificate_der;
};

/// A token taken apart and nothing in it believed yet.
struct Jws {
    std::string_view header; ///< encoded; within the token, like the next
    std::string_view signing_input;
    Bytes signature;
    boost::json::object claims; ///< the whole set
    Claimed claimed;            ///< read from it
};

/// What a feature's policy asks of its tokens.
enum class FreshNonce { unwanted, wanted };

/// Three strict base64url parts; the length is the kind's. Errors: too_long, malformed.
Verdict<Jws> split_jws(std::string_view token, Kind kind);
/// Errors: malformed, typ_refused, header_refused, alg_refused.
Verdict<CardHeader> read_card_header(std::string_view encoded, Kind kind);
/// The `kid` of what a session key signs. Errors: the same.
Verdict<std::string> read_key_header(std::string_view encoded, Kind kind);
/// The claims' exact set and forms, into `claimed`. Errors: claims_refused.
Verdict<void> read_claims(Jws& jws, Kind kind, FreshNonce fresh_nonce = FreshNonce::unwanted);

} // namespace cps::verify
