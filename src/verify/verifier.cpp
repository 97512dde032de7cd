#include "cps/verify/verifier.hpp"

#include "bounded_cache.hpp"
#include "jws.hpp"

#include "cps/base/encoding.hpp"
#include "cps/x509/revocation_checker.hpp"

#include <algorithm>

namespace cps::verify {

/// A certificate that was believed, its key decoded. Shared by the cache and those who verify.
struct Verifier::Seen {
    x509::Certificate certificate;
    x509::Holder holder;
    crypto::PublicKey key;
    crypto::Sha256 sha256;
    EpochSeconds from;  ///< when it was looked at
    EpochSeconds until; ///< look again then
};

namespace {

constexpr std::size_t max_cached = 4096;             // of each cache: about 20 MB in all
constexpr std::chrono::hours max_certificate_age{1}; // of a verdict without revocation
constexpr std::size_t coordinate_size = 32;          // octets

/// What is wrong, if anything.
using Objection = std::optional<Refusal>;

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

constexpr std::chrono::seconds longest_life(Kind kind) noexcept
{
    return kind == Kind::session ? token::max_session_lifetime : token::max_login_lifetime;
}

/// The rest of the first step: what the configuration and the clock say.
Objection check_place_and_time(const Claimed& claimed, Kind kind, const token::Origin& audience,
                               EpochSeconds now)
{
    if (claimed.audience != audience.str())
        return Refusal::audience_mismatch;
    if (kind == Kind::revoke)
        return std::nullopt; // kept until needed: it has no time
    if (claimed.expires_at <= now - clock_leeway)
        return Refusal::token_expired;
    if (claimed.issued_at > now + clock_leeway)
        return Refusal::token_not_yet_valid;
    const auto lifetime = claimed.expires_at - claimed.issued_at;
    if (lifetime <= std::chrono::seconds::zero() || lifetime > longest_life(kind))
        return Refusal::lifetime_refused;
    return std::nullopt;
}

/// The features that the nonce must have been handed out for.
std::vector<token::Feature> needed_features(const Claimed& claimed, const Expectation& expected)
{
    switch (expected.kind) {
    case Kind::login: return {token::Feature::login()};
    case Kind::session: return claimed.features;
    case Kind::request:
    case Kind::feature:
    case Kind::revoke: break;
    }
    return {expected.feature.value()};
}

/// The second step, once the nonce is burnt: the record must be this request's.
Objection check_nonce(const NonceRecord& record, const Claimed& claimed,
                      const Expectation& expected, EpochSeconds now)
{
    const auto is_recorded = [&](const token::Feature& feature) {
        return std::ranges::find(record.features, feature) != record.features.end();
    };
    if (record.session != expected.session ||
        !std::ranges::all_of(needed_features(claimed, expected), is_recorded))
        return Refusal::nonce_mismatch;
    if (now - record.issued > nonce_lifetime)
        return Refusal::nonce_stale;
    if (claimed.issued_at < record.issued - clock_leeway)
        return Refusal::nonce_mismatch;
    return std::nullopt;
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

/// The fourth step of the kinds for one request or none: what it is for.
Objection check_request(const Claimed& claimed, const Expectation& expected)
{
    if (claimed.features != needed_features(claimed, expected))
        return Refusal::feature_refused;
    const bool bound = expected.kind == Kind::request || expected.kind == Kind::feature;
    if (bound && claimed.request != expected.request)
        return Refusal::request_mismatch;
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

struct Sha256Hash {
    std::size_t operator()(const crypto::Sha256& digest) const noexcept
    {
        std::size_t value = 0;
        std::copy_n(digest.begin(), sizeof value, reinterpret_cast<std::uint8_t*>(&value));
        return value;
    }
};

/// A header that was read once, to the octet: the same octets mean the same again.
struct KnownHeader {
    Kind kind;
    crypto::SignatureAlgorithm algorithm;
    crypto::Sha256 certificate;
};

} // namespace

struct Verifier::Caches {
    BoundedCache<crypto::Sha256, std::shared_ptr<const Seen>, Sha256Hash> certificates{
        max_cached};
    BoundedCache<std::string, KnownHeader> headers{max_cached};
    BoundedCache<std::string, crypto::PublicKey> session_keys{max_cached}; // by `kid`
};

/// A token in the first step, and what its header names.
struct Verifier::Read {
    Jws jws;
    std::string kid;                  ///< of what a session key signs
    std::optional<CardHeader> header; ///< of what a card signs, unless `seen` is known
    crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::es256;
    std::shared_ptr<const Seen> seen;
};

Verifier::Verifier(Policy policy, x509::TrustStore trust, Store& store, const Clock& clock,
                   x509::RevocationChecker* revocation)
    : policy_{std::move(policy)},
      trust_{std::move(trust)},
      store_{&store},
      clock_{&clock},
      revocation_{revocation},
      caches_{std::make_unique<Caches>()}
{
}

Verifier::~Verifier() = default;
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;

void Verifier::forget() const
{
    caches_->certificates.clear();
    caches_->headers.clear();
    caches_->session_keys.clear();
}

Verdict<Accepted> Verifier::verify(std::string_view token, const Expectation& expected) const
{
    const bool bound = expected.kind == Kind::request || expected.kind == Kind::feature;
    if (bound && (!expected.feature || !expected.request))
        throw Error{Errc::bad_argument, "a request is verified against nothing"};
    switch (expected.kind) {
    case Kind::login:
    case Kind::session:
    case Kind::request: return verify_card(token, expected);
    case Kind::feature: return verify_feature(token, expected);
    case Kind::revoke: return verify_revoke(token, expected);
    }
    return Refusal::typ_refused;
}

Verdict<Verifier::Read> Verifier::read(std::string_view token, const Expectation& expected,
                                       EpochSeconds now) const
{
    const auto kind = expected.kind;
    auto jws = split_jws(token, kind);
    if (!jws)
        return jws.error();
    Read read{*std::move(jws), {}, {}, crypto::SignatureAlgorithm::es256, nullptr};

    if (kind == Kind::feature || kind == Kind::revoke) {
        auto kid = read_key_header(read.jws.header, kind);
        if (!kid)
            return kid.error();
        read.kid = *std::move(kid);
    } else {
        const auto known = caches_->headers.find(std::string{read.jws.header});
        const auto seen = known && known->kind == kind
                              ? caches_->certificates.find(known->certificate)
                              : std::nullopt;
        if (seen && (*seen)->from <= now && now < (*seen)->until) {
            read.algorithm = known->algorithm;
            read.seen = *seen;
        } else {
            auto header = read_card_header(read.jws.header, kind);
            if (!header)
                return header.error();
            read.algorithm = header->algorithm;
            read.header = *std::move(header);
        }
    }
    const auto fresh = kind == Kind::feature && expected.fresh_nonce ? FreshNonce::wanted
                                                                     : FreshNonce::unwanted;
    if (const auto claims = read_claims(read.jws, kind, fresh); !claims)
        return claims.error();
    if (const auto objection =
            check_place_and_time(read.jws.claimed, kind, policy_.audience, now))
        return *objection;
    return read;
}

Verdict<EpochSeconds> Verifier::burn(const Read& read, const Expectation& expected,
                                     EpochSeconds now) const
{
    const auto record = store_->burn(read.jws.claimed.nonce.value());
    if (!record)
        return record.error();
    if (const auto objection = check_nonce(*record, read.jws.claimed, expected, now))
        return *objection;
    return record->issued;
}

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
    auto looked =
        read.seen ? Verdict<std::shared_ptr<const Seen>>{read.seen} : look_at(read, now);
    if (!looked)
        return looked;
    const auto& seen = *looked;
    if (!seen->key.verify(read.algorithm, octets(read.jws.signing_input), read.jws.signature))
        return Refusal::signature_invalid;
    if (read.seen)
        return looked;

    auto kept = seen;
    if (const bool is_new = seen->until == EpochSeconds{}; is_new) {
        Seen checked = *seen;
        checked.until = std::min(now + max_certificate_age, seen->certificate.not_after());
        if (revocation_ != nullptr) {
            const auto verdict = revocation_->check(seen->certificate, expected.staple);
            if (verdict.is_revoked())
                return Refusal::cert_revoked;
            if (!verdict.is_good())
                return Refusal::revocation_unknown;
            checked.until = std::min(checked.until, verdict.good_until);
        }
        kept = std::make_shared<const Seen>(std::move(checked));
        caches_->certificates.keep(kept->sha256, kept);
    }
    caches_->headers.keep(std::string{read.jws.header},
                          {expected.kind, read.algorithm, kept->sha256});
    return kept;
}

/// The certificate of a header that was not seen before. Its `until` is empty, unless the same
/// certificate came with another header.
Verdict<std::shared_ptr<const Verifier::Seen>> Verifier::look_at(const Read& read,
                                                                 EpochSeconds now) const
{
    const auto& der = read.header.value().certificate_der;
    const auto sha256 = crypto::sha256(der);
    if (const auto seen = caches_->certificates.find(sha256);
        seen && (*seen)->from <= now && now < (*seen)->until)
        return *seen;

    const auto certificate = x509::Certificate::from_der(der);
    if (!certificate)
        return Refusal::cert_untrusted;
    if (const auto fault = trust_.check(*certificate, now, policy_.certificate_policies))
        return refusal_of(*fault);
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
        Seen{*certificate, *std::move(holder), *key, sha256, now, {}});
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
                         expected.limit == 0 ? session.limit
                                             : std::min(session.limit, expected.limit),
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

/// The session that a token of a session key belongs to: one of this portal session, and the
/// session token in force.
Verdict<std::shared_ptr<const SessionRecord>>
Verifier::session_of(const Read& read, const Expectation& expected, EpochSeconds now) const
{
    auto found = store_->find(read.kid);
    if (!found)
        return found;
    const auto& record = **found;
    if (record.portal_session != expected.session)
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
    auto key = caches_->session_keys.find(record.kid);
    if (!key) {
        const ByteView point{record.point};
        auto decoded = crypto::PublicKey::from_p256(point.first(coordinate_size),
                                                    point.subspan(coordinate_size));
        if (!decoded)
            return false;
        key = *std::move(decoded);
        caches_->session_keys.keep(record.kid, *key);
    }
    return key->verify(crypto::SignatureAlgorithm::es256, octets(read.jws.signing_input),
                       read.jws.signature);
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
