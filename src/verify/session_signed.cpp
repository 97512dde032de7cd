// What the session key signs: feature and revoke tokens.
#include "parts.hpp"

#include <algorithm>

namespace cps::verify {
namespace {

constexpr std::size_t coordinate_size = 32; // octets

} // namespace

/// The session that a token of a session key belongs to: one of this portal session, and the
/// session token in force.
Verdict<std::shared_ptr<const SessionRecord>>
Verifier::session_of(const Read& read, const Expectation& expected, EpochSeconds now) const
{
    auto found = store_->find(read.kid);
    if (!found)
        return found;
    const auto& record = **found;
    // The agent posts a revoke token by itself, without the portal's cookie.
    const bool from_anywhere = expected.kind == Kind::revoke && expected.session.empty();
    if (!from_anywhere && record.portal_session != expected.session)
        return Refusal::session_unknown;
    if (record.cth != read.jws.claimed.cth)
        return Refusal::cth_mismatch;
    if (expected.kind == Kind::feature &&
        (now >= record.ends || now >= record.used + session_idle))
        return Refusal::session_ended;
    return found;
}

bool Verifier::is_signed_by_session(const Read& read, const SessionRecord& record) const
{
    const auto signed_part = octets(read.jws.signing_input);
    if (const auto known = caches_->session_keys.find(record.kid))
        return (*known)->verify(signed_part, read.jws.signature);
    const ByteView point{record.point};
    const auto decoded = crypto::PublicKey::from_p256(point.first(coordinate_size),
                                                      point.subspan(coordinate_size));
    if (!decoded)
        return false;
    const auto key = std::make_shared<const crypto::PreparedKey>( // shared with the cache
        *decoded, crypto::SignatureAlgorithm::es256);
    if (!key->verify(signed_part, read.jws.signature))
        return false;
    caches_->session_keys.keep(record.kid, key, read.begun);
    return true;
}

Verdict<Accepted> Verifier::verify_feature(std::string_view token,
                                           const Expectation& expected) const
{
    const auto now = clock_->now();
    auto read = this->read(token, expected, now);
    if (!read)
        return read.error();
    if (expected.fresh_nonce)
        if (const auto issued = burn(*read, expected, now); !issued)
            return issued.error();
    const auto found = session_of(*read, expected, now);
    if (!found)
        return found.error();
    const auto& record = **found;
    if (!is_signed_by_session(*read, record))
        return Refusal::signature_invalid;

    const auto& claimed = read->jws.claimed;
    if (expected.card_only ||
        std::ranges::find(record.features, *expected.feature) == record.features.end())
        return Refusal::feature_refused;
    if (const auto objection = check_request(claimed, expected))
        return *objection;
    const auto& ids = expected.account_ids;
    if (!ids.empty() && std::ranges::find(ids, record.holder.id) == ids.end())
        return Refusal::account_mismatch;
    const auto left = store_->use({record.kid, claimed.cth, claimed.jti, claimed.seq,
                                   claimed.expires_at, expected.account, expected.quota});
    if (!left)
        return left.error();
    return Accepted{record.holder, std::move(read->jws.claims), record.certificate_sha256,
                    record.certificate_not_after,
                    AcceptedSession{record.kid, false, record.limit, *left, record.ends}};
}

Verdict<Accepted> Verifier::verify_revoke(std::string_view token,
                                          const Expectation& expected) const
{
    const auto now = clock_->now();
    auto read = this->read(token, expected, now);
    if (!read)
        return read.error();
    const auto found = session_of(*read, expected, now);
    if (!found)
        return found.error();
    const auto& record = **found;
    if (!is_signed_by_session(*read, record))
        return Refusal::signature_invalid;
    if (const auto ended = store_->end(record.kid); !ended)
        return ended.error();
    return Accepted{record.holder, std::move(read->jws.claims), record.certificate_sha256,
                    record.certificate_not_after,
                    AcceptedSession{record.kid, false, record.limit, 0, record.ends}};
}

} // namespace cps::verify
