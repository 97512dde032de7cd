#include "jws.hpp"

#include "cps/base/encoding.hpp"
#include "cps/token/feature_list.hpp"
#include "cps/token/json.hpp"
#include "cps/token/jwk.hpp"
#include "cps/verify/verifier.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

namespace cps::verify {
namespace {

using boost::json::object;
using token::integer_member;
using token::string_member;

constexpr std::array<std::string_view, 10> login_claims{
    "iss", "sub", "aud", "nonce", "jti", "iat", "exp", "auth_time", "amr", "feat"};
constexpr std::array<std::string_view, 3> session_claims{"cnf", "lim",
                                                         "prev"}; // `prev` may lack
constexpr std::array<std::string_view, 3> binding_claims{"htm", "htu", "rid"};
constexpr std::array<std::string_view, 7> feature_claims{"aud", "cth", "iat", "exp",
                                                         "jti", "seq", "feat"};
constexpr std::array<std::string_view, 3> revoke_claims{"aud", "cth", "jti"};
constexpr std::array<std::string_view, 4> jwk_members{"crv", "kty", "x", "y"};

constexpr std::array<std::string_view, 4> card_and_pin{"sc", "pin", "hwk", "mfa"};
constexpr std::size_t jti_size = 16;        // octets
constexpr std::size_t hash_size = 32;       // octets
constexpr std::size_t coordinate_size = 32; // octets

using Names = std::span<const std::string_view>;

/// The members are exactly those of all the lists.
bool has_exactly(const object& claims, std::initializer_list<Names> lists)
{
    std::size_t wanted = 0;
    for (const auto names : lists) {
        wanted += names.size();
        if (!std::ranges::all_of(names, [&](auto name) { return claims.contains(name); }))
            return false;
    }
    return claims.size() == wanted;
}

bool has_kind_set(const object& claims, Kind kind, FreshNonce fresh_nonce)
{
    static constexpr std::array<std::string_view, 1> nonce{"nonce"};
    switch (kind) {
    case Kind::login: return has_exactly(claims, {login_claims});
    case Kind::request: return has_exactly(claims, {login_claims, binding_claims});
    case Kind::session:
        return has_exactly(claims, {login_claims, Names{session_claims}.first(
                                                      claims.contains("prev") ? 3U : 2U)});
    case Kind::feature:
        return has_exactly(claims,
                           {feature_claims, binding_claims,
                            Names{nonce}.first(fresh_nonce == FreshNonce::wanted ? 1U : 0U)});
    case Kind::revoke: return has_exactly(claims, {revoke_claims});
    }
    return false;
}

bool is_random(std::optional<std::string_view> text, std::size_t size)
{
    const auto octets = text ? from_base64url(*text) : std::nullopt;
    return octets && octets->size() == size;
}

bool is_card_and_pin(const boost::json::array* amr)
{
    return amr != nullptr &&
           std::ranges::equal(*amr, card_and_pin, [](const auto& value, auto name) {
               return value.is_string() && std::string_view{value.get_string()} == name;
           });
}

bool read_times(const object& claims, Claimed& claimed)
{
    const auto issued_at = integer_member(claims, "iat");
    const auto expires_at = integer_member(claims, "exp");
    if (!issued_at || !expires_at)
        return false;
    claimed.issued_at = epoch_seconds(*issued_at);
    claimed.expires_at = epoch_seconds(*expires_at);
    return true;
}

bool read_nonce(const object& claims, Claimed& claimed)
{
    claimed.nonce = token::Nonce::parse(string_member(claims, "nonce").value_or(""));
    return claimed.nonce.has_value();
}

/// Compared byte for byte later on, with what the portal parsed; so not parsed here.
bool read_binding(const object& claims, Claimed& claimed)
{
    const auto htm = string_member(claims, "htm");
    const auto htu = string_member(claims, "htu");
    const auto rid = string_member(claims, "rid");
    if (!htm || !htu || !rid)
        return false;
    claimed.request = {std::string{*htm}, std::string{*htu}, std::string{*rid}};
    return true;
}

/// What every card-signed kind has but `feat`'s number.
bool read_holder(const object& claims, Claimed& claimed)
{
    const auto subject = string_member(claims, "sub");
    const auto auth_time = integer_member(claims, "auth_time");
    auto features = token::feature_list(claims, "feat");
    if (!subject || subject->empty() || string_member(claims, "iss") != subject || !features ||
        !read_times(claims, claimed) || !read_nonce(claims, claimed) || !auth_time ||
        // a human's PIN came before the token that it allowed
        epoch_seconds(*auth_time) > claimed.issued_at + clock_leeway ||
        !is_card_and_pin(token::array_member(claims, "amr")))
        return false;
    claimed.subject = *subject;
    claimed.features = *std::move(features);
    return true;
}

/// A point on P-256, without its private half (RFC 7518, 6.2).
std::optional<crypto::PublicKey> read_jwk(const boost::json::value& cnf)
{
    const auto* holder = cnf.if_object();
    const auto* member =
        holder != nullptr && holder->size() == 1 ? holder->if_contains("jwk") : nullptr;
    const auto* jwk = member != nullptr ? member->if_object() : nullptr;
    if (jwk == nullptr || !has_exactly(*jwk, {jwk_members}) ||
        string_member(*jwk, "kty") != "EC" || string_member(*jwk, "crv") != "P-256")
        return std::nullopt;
    const auto x = from_base64url(string_member(*jwk, "x").value_or(""));
    const auto y = from_base64url(string_member(*jwk, "y").value_or(""));
    if (!x || !y || x->size() != coordinate_size || y->size() != coordinate_size)
        return std::nullopt;
    auto key = crypto::PublicKey::from_p256(*x, *y);
    return key ? std::optional{*std::move(key)} : std::nullopt;
}

bool read_session(const object& claims, Claimed& claimed)
{
    auto key = read_jwk(claims.at("cnf"));
    const auto limit = integer_member(claims, "lim");
    if (!key || !limit || *limit == 0 || *limit > std::numeric_limits<int>::max())
        return false;
    std::optional<std::string> previous;
    if (claims.contains("prev")) {
        previous = string_member(claims, "prev");
        if (!is_random(previous, hash_size))
            return false;
    }
    auto kid = token::thumbprint(*key);
    claimed.session = ClaimedSession{*std::move(key), std::move(kid),
                                     static_cast<unsigned>(*limit), std::move(previous)};
    return true;
}

/// What a session key signs names the session token that it is made under.
bool read_cth(const object& claims, Claimed& claimed)
{
    const auto cth = string_member(claims, "cth");
    if (!is_random(cth, hash_size))
        return false;
    claimed.cth = *cth;
    return true;
}

bool read_feature(const object& claims, Claimed& claimed)
{
    const auto seq = integer_member(claims, "seq");
    auto feature = token::Feature::parse(string_member(claims, "feat").value_or(""));
    if (!seq || *seq == 0 || !feature)
        return false;
    claimed.seq = static_cast<std::uint64_t>(*seq);
    claimed.features = {*std::move(feature)};
    return read_cth(claims, claimed) && read_times(claims, claimed) &&
           read_binding(claims, claimed) &&
           (!claims.contains("nonce") || read_nonce(claims, claimed));
}

bool read_kind(const object& claims, Kind kind, Claimed& claimed)
{
    switch (kind) {
    case Kind::login: return read_holder(claims, claimed);
    case Kind::request:
        return read_holder(claims, claimed) && claimed.features.size() == 1 &&
               read_binding(claims, claimed);
    case Kind::session: return read_holder(claims, claimed) && read_session(claims, claimed);
    case Kind::feature: return read_feature(claims, claimed);
    case Kind::revoke: return read_cth(claims, claimed);
    }
    return false;
}

} // namespace

Verdict<void> read_claims(Jws& jws, Kind kind, FreshNonce fresh_nonce)
{
    const auto& claims = jws.claims;
    if (!has_kind_set(claims, kind, fresh_nonce))
        return Refusal::claims_refused;
    const auto audience = string_member(claims, "aud");
    const auto jti = string_member(claims, "jti");
    if (!audience || !is_random(jti, jti_size) || !read_kind(claims, kind, jws.claimed))
        return Refusal::claims_refused;
    jws.claimed.audience = *audience;
    jws.claimed.jti = *jti;
    return {};
}

} // namespace cps::verify
