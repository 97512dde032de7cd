#pragma once

#include <string_view>

namespace cps::verify {

/// Why a token is not accepted. The names are the stable codes of docs/errors.md.
enum class Refusal {
    malformed,         ///< not three strict base64url parts of two strict JSON objects
    too_long,          ///< longer than any token of its kind
    header_refused,    ///< header keys are not the kind's set, or `x5c` is not one certificate
    alg_refused,       ///< `alg` is not one of the kind's
    typ_refused,       ///< a token of another kind, or of none
    claims_refused,    ///< claims are not the kind's set, or one is not of its type and form
    nonce_unknown,     ///< never handed out, or used already
    nonce_stale,       ///< handed out too long ago
    nonce_mismatch,    ///< of another session or feature, or issued after the token says
    audience_mismatch, ///< made for another portal
    token_expired,     ///< `exp` has passed
    token_not_yet_valid, ///< `iat` lies in the future
    lifetime_refused,    ///< `exp` - `iat` is not within the kind's limit
    cert_untrusted,      ///< no path to a pinned authority, or unreadable
    cert_expired,
    cert_not_yet_valid,
    cert_usage,         ///< not a card's authentication certificate
    cert_policy,        ///< carries none of the allowed policies
    cert_weak,          ///< key or signature algorithm below the rules
    cert_revoked,       ///< by its authority
    revocation_unknown, ///< and the portal's policy wants to know
    card_type_refused,  ///< card type or product category not allowed here
    identity_mismatch,  ///< `sub` is not the certificate's one CN
    account_mismatch,   ///< a valid card, but not this account's
    signature_invalid,
    feature_refused,   ///< `feat` is not what this request needs
    session_unknown,   ///< no such session key here
    session_ended,     ///< the session token has ended
    cth_mismatch,      ///< made under another session token
    request_mismatch,  ///< bound to another method, address or content
    replayed,          ///< seen before
    sequence_refused,  ///< `seq` is behind the window
    limit_reached,     ///< as many as may be made or live
    quota_exceeded,    ///< more than this account may ask for
    store_unavailable, ///< the portal's own records cannot be asked
};

std::string_view code_of(Refusal refusal) noexcept;

} // namespace cps::verify
