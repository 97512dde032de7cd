#include "cps/verify/verifier.hpp"

#include "card_jws.hpp"

#include <algorithm>

namespace cps::verify {
namespace {

using token::Kind;

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

/// The rest of the first step: what the configuration and the clock say.
Objection check_place_and_time(const Claimed& claimed, const token::Origin& audience,
                               EpochSeconds now)
{
    if (claimed.audience != audience.str())
        return Refusal::audience_mismatch;
    if (claimed.expires_at <= now - clock_leeway)
        return Refusal::token_expired;
    if (claimed.issued_at > now + clock_leeway)
        return Refusal::token_not_yet_valid;
    const auto lifetime = claimed.expires_at - claimed.issued_at;
    if (lifetime <= std::chrono::seconds::zero() || lifetime > token::max_login_lifetime)
        return Refusal::lifetime_refused;
    return std::nullopt;
}

/// The feature that the token must be for, as the portal's routing says.
token::Feature needed_feature(const Expectation& expected)
{
    return expected.kind == Kind::request ? expected.feature.value() : token::Feature::login();
}

/// The second step, once the nonce is burnt: the record must be this request's.
Objection check_nonce(const NonceRecord& record, const Claimed& claimed,
                      const Expectation& expected, EpochSeconds now)
{
    if (record.session != expected.session ||
        std::ranges::find(record.features, needed_feature(expected)) == record.features.end())
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

/// The fourth step: the token is for this feature and this request.
Objection check_request(const Claimed& claimed, const Expectation& expected)
{
    if (claimed.features != std::vector{needed_feature(expected)})
        return Refusal::feature_refused;
    if (expected.kind == Kind::request && claimed.request != expected.request)
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

} // namespace

Verdict<Accepted> Verifier::verify(std::string_view token, const Expectation& expected) const
{
    if (expected.kind == Kind::request && (!expected.feature || !expected.request))
        throw Error{Errc::bad_argument, "a request is verified against nothing"};
    const auto now = clock_.now();

    auto jws = read_card_jws(token, expected.kind);
    if (!jws)
        return jws.error();
    const auto& claimed = jws->claimed;
    if (const auto objection = check_place_and_time(claimed, policy_.audience, now))
        return *objection;

    const auto record = store_.burn(claimed.nonce);
    if (!record)
        return record.error();
    if (const auto objection = check_nonce(*record, claimed, expected, now))
        return *objection;

    auto accepted = unless_unreadable([&] { return believe(*jws, now); });
    if (!accepted)
        return accepted;
    if (const auto objection = check_identity(accepted->holder.id, claimed, expected))
        return *objection;

    if (const auto objection = check_request(claimed, expected))
        return *objection;
    accepted->claims = std::move(jws->claims);
    return accepted;
}

Verdict<Accepted> Verifier::believe(const CardJws& jws, EpochSeconds now) const
{
    const auto certificate = x509::Certificate::from_der(jws.certificate_der);
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
    if (!key->verify(jws.algorithm, octets(jws.signing_input), jws.signature))
        return Refusal::signature_invalid;
    return Accepted{*std::move(holder), {}, certificate->sha256(), certificate->not_after()};
}

} // namespace cps::verify
