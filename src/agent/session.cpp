#include "session.hpp"

#include "presence.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/random.hpp"

#include <algorithm>

namespace cps::agent {
namespace {

using std::chrono::floor;
using std::chrono::seconds;

constexpr std::size_t name_octets = 16;
constexpr std::size_t kept_revocations = 2; // of the last two session tokens
constexpr seconds portal_leeway{5};         // a portal takes a token for so long after `exp`

} // namespace

bool CardInReader::is_in(const pcsc::Snapshot& now) const
{
    return std::ranges::any_of(now.readers, [&](const pcsc::Reader& one) {
        return is_reader(reader, one.name) && one.insertion == insertion &&
               (one.card == pcsc::CardState::present || one.card == pcsc::CardState::exclusive);
    });
}

std::string random_name()
{
    return to_base64url(crypto::random_bytes(name_octets));
}

Session::Session(token::Origin origin, std::string revoke_uri,
                 std::vector<token::Feature> features, unsigned limit, Time now)
    : origin_{std::move(origin)},
      revoke_uri_{std::move(revoke_uri)},
      agreed_{std::move(features)},
      limit_{limit},
      opened_{now},
      last_used_{now},
      key_{crypto::SessionKey::make()}
{
}

token::SessionClaims Session::claims() const
{
    return {key_->public_key(), limit_,
            tokens_ ? std::optional{tokens_->token_hash()} : std::nullopt};
}

EpochSeconds Session::portal_time(Time now) const
{
    return issued_at_ + floor<seconds>(now - signed_at_);
}

seconds Session::expires_in(Time now) const
{
    return std::max(seconds{0}, usable_until_ - portal_time(now));
}

void Session::take(std::string_view session_token, const SessionGrant& grant,
                   std::vector<token::Feature> features)
{
    tokens_.emplace(origin_, key_->public_key(), session_token);
    const auto input = tokens_->revoke_input(random_name());
    const auto useful_until =
        grant.signed_at + (grant.usable_until - grant.issued_at) + portal_leeway;
    revocations_.insert(revocations_.begin(),
                        {token::compact(input, key_->sign(octets(input))), useful_until});
    if (revocations_.size() > kept_revocations)
        revocations_.pop_back();

    if (!card_)
        opened_ = grant.signed_at;
    card_ = grant.card;
    usable_ = std::move(features);
    issued_at_ = grant.issued_at;
    usable_until_ = grant.usable_until;
    signed_at_ = grant.signed_at;
    pin_entered_ = grant.pin_entered;
    last_used_ = grant.signed_at;
}

Result<FeatureToken> Session::feature_token(const FeatureCall& call, Time now)
{
    if (used_ == limit_)
        return Error{Errc::limit_reached, "every feature token of the session is made"};
    const auto issued = portal_time(now);
    if (issued >= usable_until_)
        return Error{Errc::challenge_stale, "the session token is over"};
    if (std::ranges::find(usable_, call.feature) == usable_.end())
        return Error{Errc::feature_unknown, "not a feature of the session"};

    const token::FeatureClaims claims{
        issued,        std::min(issued + token::feature_lifetime, usable_until_),
        random_name(), used_ + 1,
        call.feature,  call.request,
        call.nonce};
    const auto input = tokens_->feature_input(claims);
    auto made = token::compact(input, key_->sign(octets(input)));
    ++used_;
    last_used_ = now;
    if (used_ == limit_)
        key_.reset(); // what is left to say, the revoke tokens say
    return FeatureToken{std::move(made), left()};
}

std::vector<std::string> Session::revocations(Time now) const
{
    std::vector<std::string> tokens;
    for (const auto& one : revocations_)
        if (now < one.useful_until)
            tokens.push_back(one.token);
    return tokens;
}

} // namespace cps::agent
