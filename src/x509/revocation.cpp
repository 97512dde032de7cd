#include "cps/x509/revocation.hpp"

namespace cps::x509 {

RevocationVerdict RevocationVerdict::good(EpochSeconds until)
{
    RevocationVerdict verdict;
    verdict.status = Status::good;
    verdict.good_until = until;
    return verdict;
}

RevocationVerdict RevocationVerdict::revoked(EpochSeconds at, RevocationReason reason)
{
    RevocationVerdict verdict;
    verdict.status = Status::revoked;
    verdict.revoked_at = at;
    verdict.reason = reason;
    return verdict;
}

RevocationVerdict RevocationVerdict::unknown(RevocationDoubt why)
{
    RevocationVerdict verdict;
    verdict.why = why;
    return verdict;
}

std::string_view name_of(RevocationDoubt why) noexcept
{
    switch (why) {
    case RevocationDoubt::no_source: return "no_source";
    case RevocationDoubt::unreachable: return "unreachable";
    case RevocationDoubt::not_an_answer: return "not_an_answer";
    case RevocationDoubt::too_large: return "too_large";
    case RevocationDoubt::wrong_issuer: return "wrong_issuer";
    case RevocationDoubt::bad_signature: return "bad_signature";
    case RevocationDoubt::unsupported: return "unsupported";
    case RevocationDoubt::future_dated: return "future_dated";
    case RevocationDoubt::stale: return "stale";
    case RevocationDoubt::rolled_back: return "rolled_back";
    case RevocationDoubt::nonce_mismatch: return "nonce_mismatch";
    case RevocationDoubt::other_certificate: return "other_certificate";
    case RevocationDoubt::not_known: break;
    }
    return "not_known";
}

std::string_view name_of(RevocationReason reason) noexcept
{
    switch (reason) {
    case RevocationReason::key_compromise: return "keyCompromise";
    case RevocationReason::ca_compromise: return "cACompromise";
    case RevocationReason::affiliation_changed: return "affiliationChanged";
    case RevocationReason::superseded: return "superseded";
    case RevocationReason::cessation_of_operation: return "cessationOfOperation";
    case RevocationReason::certificate_hold: return "certificateHold";
    case RevocationReason::remove_from_crl: return "removeFromCRL";
    case RevocationReason::privilege_withdrawn: return "privilegeWithdrawn";
    case RevocationReason::aa_compromise: return "aACompromise";
    case RevocationReason::unspecified: break;
    }
    return "unspecified";
}

} // namespace cps::x509
