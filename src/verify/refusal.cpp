#include "cps/verify/refusal.hpp"

namespace cps::verify {

std::string_view code_of(Refusal refusal) noexcept
{
    switch (refusal) {
    case Refusal::malformed: return "malformed";
    case Refusal::too_long: return "too_long";
    case Refusal::header_refused: return "header_refused";
    case Refusal::alg_refused: return "alg_refused";
    case Refusal::typ_refused: return "typ_refused";
    case Refusal::claims_refused: return "claims_refused";
    case Refusal::nonce_unknown: return "nonce_unknown";
    case Refusal::nonce_stale: return "nonce_stale";
    case Refusal::nonce_mismatch: return "nonce_mismatch";
    case Refusal::audience_mismatch: return "audience_mismatch";
    case Refusal::token_expired: return "token_expired";
    case Refusal::token_not_yet_valid: return "token_not_yet_valid";
    case Refusal::lifetime_refused: return "lifetime_refused";
    case Refusal::cert_untrusted: return "cert_untrusted";
    case Refusal::cert_expired: return "cert_expired";
    case Refusal::cert_not_yet_valid: return "cert_not_yet_valid";
    case Refusal::cert_usage: return "cert_usage";
    case Refusal::cert_policy: return "cert_policy";
    case Refusal::cert_weak: return "cert_weak";
    case Refusal::cert_revoked: return "cert_revoked";
    case Refusal::revocation_unknown: return "revocation_unknown";
    case Refusal::card_type_refused: return "card_type_refused";
    case Refusal::identity_mismatch: return "identity_mismatch";
    case Refusal::account_mismatch: return "account_mismatch";
    case Refusal::signature_invalid: return "signature_invalid";
    case Refusal::feature_refused: return "feature_refused";
    case Refusal::session_unknown: return "session_unknown";
    case Refusal::session_ended: return "session_ended";
    case Refusal::cth_mismatch: return "cth_mismatch";
    case Refusal::request_mismatch: return "request_mismatch";
    case Refusal::replayed: return "replayed";
    case Refusal::sequence_refused: return "sequence_refused";
    case Refusal::limit_reached: return "limit_reached";
    case Refusal::quota_exceeded: return "quota_exceeded";
    case Refusal::store_unavailable: return "store_unavailable";
    }
    return "malformed";
}

} // namespace cps::verify
