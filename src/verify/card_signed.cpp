// What the card signs: login, session and request tokens.
#include "parts.hpp"

#include "cps/base/encoding.hpp"
#include "cps/x509/revocation_checker.hpp"

#include <algorithm>

namespace cps::verify {
namespace {

constexpr std::chrono::hours max_certificate_age{1}; // of a verdict without revocation

constexpr Refusal refusal_of(x509::ChainFault fault) noexcept
{
    switch (fault) {
    case x509::ChainFault::untrusted: return Refusal::cert_untrusted;
    case x509::ChainFault::expired: return Refusal::cert_expired;
    case x509::ChainFault::not_yet_valid: return Refusal::cert_not_yet_valid;
    case x509::ChainFault::usage: return Refusal::cert_usage;
    case x509::ChainFault::policy: return Refusal::cert_policy;
    case x509::ChainFault::weak: return Refusal::cert_weak;
    }
    return Refusal::cert_untrusted;
}

/// `sub` = CN = the account's identifier, or that of a delegate declared for it.
Objection check_identity(const std::string& holder_id, const Claimed& claimed,
                         const Expectation& expected)
{
    if (claimed.subject != holder_id)
        return Refusal::identity_mismatch;
    const auto& ids = expected.account_ids;
    if (!ids.empty() && std::ranges::find(ids, holder_id) == ids.end())
        return Refusal::account_mismatch;
    return std::nullopt;
}

/// A certificate whose parts cannot be read is not believed.
template <std::invocable Read>
auto unless_unreadable(Read&& read) -> decltype(read())
{
    try {
        return read();
    } catch (const Error&) {
        return Refusal::cert_untrusted;
    }
}

} // namespace

Verdict<Accepted> Verifier::verify_card(std::string_view token,
                                        const Expectation& expected) const
{
    const auto now = clock_->now();
    auto read = this->read(token, expected, now);
    if (!read)
        return read.error();
    const auto issued = burn(*read, expected, now);
    if (!issued)
        return issued.error();
    const auto seen = unless_unreadable([&] { return believe(*read, expected, now); });
    if (!seen)
        return seen.error();
    const auto& claimed = read->jws.claimed;
    if (const auto objection = check_identity((*seen)->holder.id, claimed, expected))
        return *objection;

    Accepted accepted{
        (*seen)->holder, {}, (*seen)->sha256, (*seen)->certificate.not_after(), {}};
    if (expected.kind == Kind::session) {
        auto session = keep_session(*read, expected, **seen, *issued, now);
        if (!session)
            return session.error();
        accepted.session = *std::move(session);
    } else {
        if (const auto objection = check_request(claimed, expected))
            return *objection;
        if (expected.kind == Kind::request)
            if (const auto charged = store_->charge(expected.account, expected.quota); !charged)
                return charged.error();
    }
    accepted.claims = std::move(read->jws.claims);
    return accepted;
}

/// The third step: the certificate (or what is remembered of it), the signature by its key,
/// then its revocation; only then is anything remembered.
Verdict<std::shared_ptr<const Verifier::Seen>>
Verifier::believe(const Read& read, const Expectation& expected, EpochSeconds now) const
{
    const auto signed_part = octets(read.jws.signing_input);
    if (read.seen)
        return read.key->verify(signed_part, read.jws.signature)
                   ? Verdict<std::shared_ptr<const Seen>>{read.seen}
                   : Refusal::signature_invalid;

    const auto looked = look_at(read, now);
    if (!looked)
        return looked;
    const auto& seen = *looked;
    const auto key = // shared with those who verify
        std::make_shared<const crypto::PreparedKey>(seen->key, read.header->algorithm);
    if (!key->verify(signed_part, read.jws.signature))
        return Refusal::signature_invalid;

    auto kept = seen;
    if (const bool is_new = seen->until == EpochSeconds{}; is_new) {
        Seen checked = *seen;
        checked.until = std::min(now + max_certificate_age, seen->certificate.not_after());
        if (revocation_ != nullptr) {
            const auto verdict =
                revocation_->check(seen->certificate, seen->issuer, expected.staple);
            if (verdict.is_revoked())
                return Refusal::cert_revoked;
            if (!verdict.is_good())
                return Refusal::revocation_unknown;
            checked.until = std::min(checked.until, verdict.good_until);
        }
        kept = std::make_shared<const Seen>(std::move(checked));
        caches_->certificates.keep(kept->sha256, kept, read.begun);
    }
    if (read.jws.header.size() <= max_cached_header)
        caches_->headers.keep(std::string{read.jws.header}, {expected.kind, kept, key},
                              read.begun);
    return kept;
}

/// The certificate of a header that was not seen before. Its `until` is empty, unless the same
/// certificate came with another header.
Verdict<std::shared_ptr<const Verifier::Seen>> Verifier::look_at(const Read& read,
                                                                 EpochSeconds now) const
{
    const auto& der = read.header.value().certificate_der;
    const auto sha256 = crypto::sha256(der);
    if (const auto seen = caches_->certificates.find(sha256); seen && (*seen)->counts_at(now))
        return *seen;

    const auto certificate = x509::Certificate::from_der(der);
    if (!certificate)
        return Refusal::cert_untrusted;
    const auto issuer = trust_.find_issuer(*certificate, now, policy_.certificate_policies);
    if (!issuer)
        return refusal_of(issuer.error());
    auto holder = x509::holder_of(*certificate);
    if (!holder)
        return Refusal::identity_mismatch; // not exactly one CN
    if (!holder->card_type || !policy_.card_types.contains(*holder->card_type) ||
        !holder->product_category ||
        !policy_.product_categories.contains(*holder->product_category))
        return Refusal::card_type_refused;
    const auto key = certificate->key();
    if (!key)
        return Refusal::cert_weak;
    return std::make_shared<const Seen>(
        Seen{*certificate, *issuer, *std::move(holder), *key, sha256, now, {}});
}

/// The fourth step of a session token: it opens a session or renews the one of its key.
Verdict<AcceptedSession> Verifier::keep_session(const Read& read, const Expectation& expected,
                                                const Seen& seen, EpochSeconds nonce_issued,
                                                EpochSeconds now) const
{
    const auto& claimed = read.jws.claimed;
    const auto& session = claimed.session.value();
    const auto point = session.key.p256_point();
    SessionRecord record{session.kid,
                         point,
                         expected.session,
                         seen.holder,
                         seen.sha256,
                         seen.certificate.not_after(),
                         token::token_hash(std::string{read.jws.signing_input} + '.' +
                                           to_base64url(read.jws.signature)),
                         claimed.features,
                         std::min({session.limit, max_session_uses,
                                   expected.limit == 0 ? max_session_uses : expected.limit}),
                         now,
                         now,
                         std::min(claimed.expires_at, nonce_issued + session_token_life)};
    AcceptedSession accepted{session.kid, session.previous.has_value(), record.limit,
                             record.limit, record.ends};
    if (!session.previous) {
        if (const auto opened = store_->open(std::move(record)); !opened)
            return opened.error();
        return accepted;
    }

    const auto found = store_->find(session.kid);
    if (!found)
        return found.error();
    const auto& open = **found;
    if (open.portal_session != expected.session)
        return Refusal::session_unknown;
    if (open.cth != *session.previous)
        return Refusal::cth_mismatch;
    if (open.certificate_sha256 != seen.sha256)
        return Refusal::identity_mismatch;
    if (now >= open.opened + session_max || now >= open.used + session_idle)
        return Refusal::session_ended;
    const auto was_agreed = [&](const token::Feature& feature) {
        return std::ranges::find(open.features, feature) != open.features.end();
    };
    if (!std::ranges::all_of(claimed.features, was_agreed))
        return Refusal::feature_refused;
    record.limit = std::min(record.limit, open.limit);
    record.ends = std::min(record.ends, open.opened + session_max);
    if (const auto renewed = store_->renew(record, *session.previous); !renewed)
        return renewed.error();
    accepted.limit = accepted.left = record.limit;
    accepted.ends = record.ends;
    return accepted;
}

} // namespace cps::verify
