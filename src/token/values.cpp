#include "cps/token/values.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <algorithm>

namespace cps::token {
namespace {

constexpr std::size_t max_feature_size = 64; // octets: it fits one line of a dialog

constexpr bool is_feature_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

} // namespace

std::optional<Nonce> Nonce::parse(std::string_view base64url)
{
    constexpr std::size_t text_size = (octets * 4 + 2) / 3;
    if (base64url.size() != text_size || !from_base64url(base64url))
        return std::nullopt;
    return Nonce{std::string{base64url}};
}

Nonce Nonce::from_bytes(ByteView random)
{
    if (random.size() != octets)
        throw Error{Errc::bad_argument, "a nonce has 32 octets"};
    return Nonce{to_base64url(random)};
}

std::optional<Feature> Feature::parse(std::string_view text)
{
    if (text.empty() || text.size() > max_feature_size ||
        !std::ranges::all_of(text, is_feature_character))
        return std::nullopt;
    return Feature{std::string{text}};
}

Feature Feature::login()
{
    return Feature{"login"};
}

} // namespace cps::token
