#include "jws.hpp"

#include "cps/base/encoding.hpp"
#include "cps/token/json.hpp"
#include "cps/verify/verifier.hpp"

#include <array>
#include <span>

namespace cps::verify {
namespace {

using boost::json::object;
using token::string_member;
using Names = std::span<const std::string_view>;

// The exact sets; a key that is not here (`jwk`, `jku`, `x5u`, `crit`) refuses the token.
constexpr std::array<std::string_view, 3> card_header_keys{"alg", "typ", "x5c"};
constexpr std::array<std::string_view, 3> key_header_keys{"alg", "typ", "kid"};
constexpr std::size_t thumbprint_size = 32; // octets

constexpr std::size_t longest(Kind kind)
{
    const bool rides_in_a_header =
        kind == Kind::request || kind == Kind::feature || kind == Kind::revoke;
    return rides_in_a_header ? max_header_token_size : max_token_size;
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

/// The header, exactly of the kind but for `alg`'s value.
Verdict<object> read_header(std::string_view encoded, Kind kind, Names keys)
{
    auto header = read_object(encoded);
    if (!header)
        return Refusal::malformed;
    // Before the set of keys, so that a token of another kind is told as one.
    if (header->contains("typ") && string_member(*header, "typ") != token::typ_of(kind))
        return Refusal::typ_refused;
    if (!token::has_exactly(*header, keys))
        return Refusal::header_refused;
    return *std::move(header);
}

std::optional<crypto::SignatureAlgorithm> card_algorithm(const object& header)
{
    const auto alg = string_member(header, "alg");
    if (alg == "RS256")
        return crypto::SignatureAlgorithm::rs256;
    if (alg == "PS256")
        return crypto::SignatureAlgorithm::ps256;
    return std::nullopt;
}

/// `x5c`: the leaf alone, in standard base64 (RFC 7515, 4.1.6).
std::optional<Bytes> read_certificate(const object& header)
{
    const auto* chain = token::array_member(header, "x5c");
    if (chain == nullptr || chain->size() != 1 || !chain->front().is_string())
        return std::nullopt;
    return from_base64(std::string_view{chain->front().get_string()});
}

} // namespace

Verdict<Jws> split_jws(std::string_view token, Kind kind)
{
    if (token.size() > longest(kind))
        return Refusal::too_long;
    // A third dot stays in the signature, where it is no base64url.
    const auto first = token.find('.');
    const auto second = first == token.npos ? token.npos : token.find('.', first + 1);
    if (second == token.npos)
        return Refusal::malformed;
    auto payload = read_object(token.substr(first + 1, second - first - 1));
    auto signature = from_base64url(token.substr(second + 1));
    if (!payload || !signature || signature->empty())
        return Refusal::malformed;
    return Jws{token.substr(0, first),
               token.substr(0, second),
               *std::move(signature),
               *std::move(payload),
               {}};
}

Verdict<CardHeader> read_card_header(std::string_view encoded, Kind kind)
{
    const auto header = read_header(encoded, kind, card_header_keys);
    if (!header)
        return header.error();
    const auto algorithm = card_algorithm(*header);
    if (!algorithm)
        return Refusal::alg_refused;
    auto certificate = read_certificate(*header);
    if (!certificate)
        return Refusal::header_refused;
    return CardHeader{*algorithm, *std::move(certificate)};
}

Verdict<std::string> read_key_header(std::string_view encoded, Kind kind)
{
    const auto header = read_header(encoded, kind, key_header_keys);
    if (!header)
        return header.error();
    if (string_member(*header, "alg") != "ES256")
        return Refusal::alg_refused;
    const auto kid = string_member(*header, "kid");
    const auto thumbprint = kid ? from_base64url(*kid) : std::nullopt;
    if (!thumbprint || thumbprint->size() != thumbprint_size)
        return Refusal::header_refused;
    return std::string{*kid};
}

} // namespace cps::verify
