#include "der.hpp"

#include <cstddef>

namespace cps::x509 {
namespace {

constexpr int max_depth = 24;           // levels; a certificate with every extension has 10
constexpr std::size_t max_lengths = 4;  // octets of a long length: more than memory holds
constexpr unsigned tag_sequence = 0x10; // X.680, 8.4
constexpr unsigned tag_set = 0x11;

bool good_identifier(std::uint8_t identifier) noexcept
{
    const unsigned tag = identifier & 0x1F;
    const bool universal = (identifier & 0xC0) == 0;
    const bool constructed = (identifier & 0x20) != 0;
    if (tag == 0x1F || (universal && tag == 0))
        return false; // high tag numbers and end-of-contents: not in a certificate
    return !universal || constructed == (tag == tag_sequence || tag == tag_set);
}

bool all_der(ByteView input, int depth) noexcept
{
    while (!input.empty()) { // `take` shortens it each time
        const auto element = take(input);
        if (!element || !good_identifier(element->identifier))
            return false;
        const bool constructed = (element->identifier & 0x20) != 0;
        if (constructed && (depth == 0 || !all_der(element->content, depth - 1)))
            return false;
    }
    return true;
}

} // namespace

std::optional<Element> take(ByteView& input) noexcept
{
    const auto start = input;
    if (input.size() < 2)
        return std::nullopt;
    const auto identifier = input[0];
    std::size_t length = input[1];
    input = input.subspan(2);
    if (length == 0x80)
        return std::nullopt; // indefinite
    if (length > 0x80) {
        const auto octets = length & 0x7F;
        if (octets > max_lengths || octets > input.size() || input[0] == 0)
            return std::nullopt;
        length = 0;
        for (const auto octet : input.first(octets))
            length = length << 8 | octet;
        if (length < 0x80)
            return std::nullopt; // the short form would have done
        input = input.subspan(octets);
    }
    if (length > input.size())
        return std::nullopt;
    const Element element{identifier, input.first(length),
                          start.first(start.size() - input.size() + length)};
    input = input.subspan(length);
    return element;
}

std::optional<Element> take(ByteView& input, std::uint8_t identifier) noexcept
{
    if (input.empty() || input[0] != identifier)
        return std::nullopt;
    return take(input);
}

bool is_one_der_element(ByteView input) noexcept
{
    auto rest = input;
    return take(rest) && rest.empty() && all_der(input, max_depth);
}

} // namespace cps::x509
