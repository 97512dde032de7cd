#include "card_jws.hpp"

#include "cps/base/encoding.hpp"
#include "cps/token/feature_list.hpp"
#include "cps/token/json.hpp"
#include "cps/verify/verifier.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace cps::verify {
namespace {

using boost::json::object;
using token::integer_member;
using token::Kind;
using token::string_member;
using Names = std::span<const std::string_view>;

// The exact sets; a key that is not here (`jwk`, `jku`, `x5u`, `crit`) refuses the token.
constexpr std::array<std::string_view, 3> header_keys{"alg", "typ", "x5c"};
constexpr std::array<std::string_view, 13> request_claims{
    "iss",       "sub", "aud",  "nonce", "jti", "iat", "exp",
    "auth_time", "amr", "feat", "htm",   "htu", "rid"};
constexpr auto login_claims = Names{request_claims}.first<10>(); // all but the binding

constexpr std::array<std::string_view, 4> card_and_pin{"sc", "pin", "hwk", "mfa"};
constexpr std::size_t jti_size = 16; // octets

struct Parts {
    std::string_view header, payload, signature;
    std::string_view signing_input;
};

/// A third dot stays in the signature, where it is no base64url.
std::optional<Parts> split(std::string_view token)
{
    const auto first = token.find('.');
    const auto second = first == token.npos ? token.npos : token.find('.', first + 1);
    if (second == token.npos)
        return std::nullopt;
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                 token.substr(second + 1), token.substr(0, second)};
}

std::optional<object> read_object(std::string_view base64url)
{
    const auto json = from_base64url(base64url);
    if (!json)
        return std::nullopt;
    auto value = token::parse_json(text_of(*json), max_token_size);
    if (!value || !value->is_object())
        return std::nullopt;
    return std::move(value->get_object());
}

Verdict<crypto::SignatureAlgorithm> read_header(const object& header, Kind kind)
{
    // Before the set of keys, so that a token of another kind is told as one.
    if (header.contains("typ") && string_member(header, "typ") != token::typ_of(kind))
        return Refusal::typ_refused;
    if (!token::has_exactly(header, header_keys))
        return Refusal::header_refused;
    const auto alg = string_member(header, "alg");
    if (alg == "RS256")
        return crypto::SignatureAlgorithm::rs256;
    if (alg == "PS256")
        return crypto::SignatureAlgorithm::ps256;
    return Refusal::alg_refused;
}

/// `x5c`: the leaf alone, in standard base64 (RFC 7515, 4.1.6).
std::optional<Bytes> read_certificate(const object& header)
{
    const auto* chain = token::array_member(header, "x5c");
    if (chain == nullptr || chain->size() != 1 || !chain->front().is_string())
        return std::nullopt;
    return from_base64(std::string_view{chain->front().get_string()});
}

bool is_card_and_pin(const boost::json::array* amr)
{
    return amr != nullptr &&
           std::ranges::equal(*amr, card_and_pin, [](const auto& value, auto name) {
               return value.is_string() && std::string_view{value.get_string()} == name;
           });
}

bool is_jti(std::optional<std::string_view> text)
{
    const auto random = text ? from_base64url(*text) : std::nullopt;
    return random && random->size() == jti_size;
}

/// `auth_time` of a human's PIN, which came before the token that it allowed.
bool is_auth_time(std::optional<std::int64_t> auth_time, std::int64_t issued_at)
{
    return auth_time && *auth_time <= issued_at + clock_leeway.count();
}

std::optional<token::RequestBinding> read_request(const object& claims)
{
    const auto htm = string_member(claims, "htm");
    const auto htu = string_member(claims, "htu");
    const auto rid = string_member(claims, "rid");
    if (!htm || !htu || !rid)
        return std::nullopt;
    // Compared byte for byte later on, with what the portal parsed; so not parsed here.
    return token::RequestBinding{std::string{*htm}, std::string{*htu}, std::string{*rid}};
}

std::optional<Claimed> read_claims(const object& claims, Kind kind)
{
    const bool bound = kind == Kind::request;
    if (!token::has_exactly(claims, bound ? Names{request_claims} : login_claims))
        return std::nullopt;

    const auto subject = string_member(claims, "sub");
    const auto audience = string_member(claims, "aud");
    auto nonce = token::Nonce::parse(string_member(claims, "nonce").value_or(""));
    const auto issued_at = integer_member(claims, "iat");
    const auto expires_at = integer_member(claims, "exp");
    auto features = token::feature_list(claims, "feat");
    auto request = bound ? read_request(claims) : token::RequestBinding{};

    if (!subject || subject->empty() || string_member(claims, "iss") != subject || !audience ||
        !nonce || !issued_at || !expires_at || !features || !request ||
        (bound && features->size() != 1) ||
        !is_auth_time(integer_member(claims, "auth_time"), *issued_at) ||
        !is_jti(string_member(claims, "jti")) ||
        !is_card_and_pin(token::array_member(claims, "amr")))
        return std::nullopt;

    return Claimed{std::string{*subject},     std::string{*audience},     *std::move(nonce),
                   epoch_seconds(*issued_at), epoch_seconds(*expires_at), *std::move(features),
                   *std::move(request)};
}

} // namespace

Verdict<CardJws> read_card_jws(std::string_view token, Kind kind)
{
    if (kind != Kind::login && kind != Kind::request)
        return Refusal::typ_refused;
    if (token.size() > (kind == Kind::request ? max_header_token_size : max_token_size))
        return Refusal::too_long;

    const auto parts = split(token);
    if (!parts)
        return Refusal::malformed;
    const auto header = read_object(parts->header);
    auto payload = read_object(parts->payload);
    auto signature = from_base64url(parts->signature);
    if (!header || !payload || !signature || signature->empty())
        return Refusal::malformed;

    const auto algorithm = read_header(*header, kind);
    if (!algorithm)
        return algorithm.error();
    auto certificate = read_certificate(*header);
    if (!certificate)
        return Refusal::header_refused;
    auto claimed = read_claims(*payload, kind);
    if (!claimed)
        return Refusal::claims_refused;

    return CardJws{parts->signing_input,    *std::move(signature), *algorithm,
                   *std::move(certificate), *std::move(payload),   *std::move(claimed)};
}

} // namespace cps::verify
