#include "cps/verify/verifier.hpp"

#include "parts.hpp"

#include <algorithm>

namespace cps::verify {
namespace {

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

} // namespace

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

Objection check_request(const Claimed& claimed, const Expectation& expected)
{
    if (claimed.features != needed_features(claimed, expected))
        return Refusal::feature_refused;
    const bool bound = expected.kind == Kind::request || expected.kind == Kind::feature;
    if (bound && claimed.request != expected.request)
        return Refusal::request_mismatch;
    return std::nullopt;
}

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
    const auto age = ++caches_->age;
    caches_->certificates.clear(age);
    caches_->headers.clear(age);
    caches_->session_keys.clear(age);
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
    const auto begun = caches_->age.load();
    auto jws = split_jws(token, kind);
    if (!jws)
        return jws.error();
    Read read{begun, *std::move(jws), {}, {}, nullptr, nullptr};

    if (kind == Kind::feature || kind == Kind::revoke) {
        auto kid = read_key_header(read.jws.header, kind);
        if (!kid)
            return kid.error();
        read.kid = *std::move(kid);
    } else {
        auto known = caches_->headers.find(read.jws.header);
        if (known && known->kind == kind && known->seen->counts_at(now)) {
            read.seen = std::move(known->seen);
            read.key = std::move(known->key);
        } else {
            auto header = read_card_header(read.jws.header, kind);
            if (!header)
                return header.error();
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

} // namespace cps::verify
