#pragma once

#include <string_view>

namespace cps::verify {

/// Why a token is not accepted. The names are the stable codes of docs/errors.md.
enum class Refusal {
    malformed,
    too_long,
    header_refused,
    alg_refused,
    typ_refused,
    claims_refused,
    nonce_unknown,
    nonce_stale,
    nonce_mismatch,
    audience_mismatch,
    token_expired,
    token_not_yet_valid,
    lifetime_refused,
    cert_untrusted,
    cert_expired,
    cert_not_yet_valid,
    cert_usage,
    cert_policy,
    cert_weak,
    cert_revoked,
    revocation_unknown,
    card_type_refused,
    identity_mismatch,
    account_mismatch,
    signature_invalid,
    feature_refused,
    session_unknown,
    session_ended,
    cth_mismatch,
    request_mismatch,
    replayed,
    sequence_refused,
    limit_reached,
    quota_exceeded,
    store_unavailable,
};

std::string_view code_of(Refusal refusal) noexcept;

} // namespace cps::verify
