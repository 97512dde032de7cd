#include "cps/base/encoding.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/token/values.hpp"

#include <algorithm>

namespace cps::token {
namespace {

constexpr std::size_t max_method_size = 16; // octets: the longest registered has 17, unused
constexpr std::size_t rid_size = 43;        // octets: SHA-256 in base64url

constexpr bool is_visible(char c)
{
    return c > 0x20 && c < 0x7F;
}

constexpr int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/// The octet that the escape at `at` stands for; empty when there is none.
std::optional<int> escaped_octet(std::string_view text, std::size_t at)
{
    if (text.size() - at < 3 || text[at] != '%')
        return std::nullopt;
    const auto high = hex_value(text[at + 1]);
    const auto low = hex_value(text[at + 2]);
    if (high < 0 || low < 0)
        return std::nullopt;
    return high << 4 | low;
}

/// `.` or `..` however escaped, also with path parameters (`..;x`), which some servers drop
/// before they look.
bool is_dot_segment(std::string_view segment)
{
    segment = segment.substr(0, segment.find(';'));
    std::size_t dots = 0;
    while (!segment.empty()) {
        const std::size_t size = segment.front() == '.'             ? 1
                                 : escaped_octet(segment, 0) == '.' ? 3
                                                                    : 0;
        if (size == 0)
            return false;
        segment.remove_prefix(size);
        ++dots;
    }
    return dots == 1 || dots == 2;
}

} // namespace

std::optional<RequestBinding> RequestBinding::parse(const Origin& origin, std::string_view htm,
                                                    std::string_view htu, std::string_view rid)
{
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (htm.empty() || htm.size() > max_method_size || !std::ranges::all_of(htm, is_upper))
        return std::nullopt;

    if (htu.size() > max_htu || !htu.starts_with(origin.str()) ||
        !htu.substr(origin.str().size()).starts_with('/') ||
        !std::ranges::all_of(htu, is_visible) ||
        htu.find_first_of("?#") != std::string_view::npos)
        return std::nullopt;

    if (rid.size() != rid_size || !from_base64url(rid))
        return std::nullopt;
    return RequestBinding{std::string{htm}, std::string{htu}, std::string{rid}};
}

std::string request_id(ByteView query, ByteView body)
{
    Bytes both;
    both.reserve(query.size() + 1 + body.size());
    both.insert(both.end(), query.begin(), query.end());
    both.push_back(0x0A);
    both.insert(both.end(), body.begin(), body.end());
    return to_base64url(crypto::sha256(both));
}

bool is_ambiguous_path(std::string_view raw_path) noexcept
{
    if (!raw_path.starts_with('/') || !std::ranges::all_of(raw_path, is_visible) ||
        raw_path.find("//") != std::string_view::npos ||
        raw_path.find_first_of("\\?#") != std::string_view::npos)
        return true;

    for (auto at = raw_path.find('%'); at != std::string_view::npos;
         at = raw_path.find('%', at + 1)) {
        const auto octet = escaped_octet(raw_path, at);
        if (!octet || *octet == '/' || *octet == '\\' || *octet == 0)
            return true;
    }

    for (auto rest = raw_path.substr(1);;) {
        const auto slash = rest.find('/');
        if (is_dot_segment(rest.substr(0, slash)))
            return true;
        if (slash == std::string_view::npos)
            return false;
        rest.remove_prefix(slash + 1);
    }
}

} // namespace cps::token
