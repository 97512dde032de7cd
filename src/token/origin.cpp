#include "cps/token/values.hpp"

#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>

#include <algorithm>
#include <charconv>

namespace cps::token {
namespace {

constexpr std::size_t max_host_size = 253; // octets of a DNS name (RFC 1035, 2.3.4)
constexpr std::size_t max_label_size = 63; // octets
constexpr unsigned max_port = 65535;

constexpr bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
constexpr bool is_label_character(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-';
}

bool is_label(std::string_view label)
{
    return !label.empty() && label.size() <= max_label_size && !label.starts_with('-') &&
           !label.ends_with('-') && std::ranges::all_of(label, is_label_character);
}

/// Browsers read a host whose last label is a number as an IPv4 address, however written.
bool is_number(std::string_view label)
{
    if (label.starts_with("0x"))
        return std::ranges::all_of(
            label.substr(2), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
    return std::ranges::all_of(label, is_digit);
}

bool is_canonical_ipv4(std::string_view host)
{
    const auto address = boost::urls::parse_ipv4_address(host);
    return address.has_value() && address->to_string() == host;
}

/// RFC 5952, 4 with every group in hexadecimal, as browsers write it (also ::ffff:7f00:1).
std::string spell_ipv6(const boost::urls::ipv6_address::bytes_type& octets)
{
    constexpr std::size_t groups = 8;
    const auto group = [&](std::size_t i) { return octets[2 * i] << 8 | octets[2 * i + 1]; };

    std::size_t gap = groups, gap_size = 1; // the first longest run of two zeros or more
    for (std::size_t i = 0; i != groups; ++i) {
        auto end = i;
        while (end != groups && group(end) == 0)
            ++end;
        if (end - i > gap_size) {
            gap = i;
            gap_size = end - i;
        }
    }

    std::string out;
    for (std::size_t i = 0; i < groups; ++i) {
        if (i == gap) {
            out += "::";
            i += gap_size - 1;
            continue;
        }
        if (!out.empty() && !out.ends_with(':'))
            out += ':';
        std::array<char, 4> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                       static_cast<unsigned>(group(i)), 16);
        out.append(digits.data(), end.ptr);
    }
    return out;
}

bool is_canonical_ipv6(std::string_view inner)
{
    const auto address = boost::urls::parse_ipv6_address(inner);
    return address.has_value() && spell_ipv6(address->to_bytes()) == inner;
}

bool is_canonical_host(std::string_view host)
{
    if (host.starts_with('['))
        return host.ends_with(']') && is_canonical_ipv6(host.substr(1, host.size() - 2));

    if (host.size() > max_host_size)
        return false;
    std::string_view label;
    for (auto rest = host;;) {
        const auto dot = rest.find('.');
        label = rest.substr(0, dot);
        if (!is_label(label))
            return false;
        if (dot == std::string_view::npos)
            break;
        rest.remove_prefix(dot + 1);
    }
    return !is_number(label) || is_canonical_ipv4(host);
}

bool is_canonical_port(std::string_view port, unsigned default_port)
{
    unsigned number = 0;
    const auto* end = port.data() + port.size();
    const auto read = std::from_chars(port.data(), end, number);
    return read.ec == std::errc{} && read.ptr == end && !port.starts_with('0') &&
           number <= max_port && number != default_port;
}

bool is_loopback(std::string_view host)
{
    return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

} // namespace

std::optional<Origin> Origin::parse(std::string_view text)
{
    if (text.size() > max_size)
        return std::nullopt;
    const bool https = text.starts_with("https://");
    if (!https && !text.starts_with("http://"))
        return std::nullopt;
    const auto authority = text.substr(https ? 8 : 7);

    // A colon inside brackets belongs to the address.
    const auto bracket = authority.rfind(']');
    const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    const auto host = authority.substr(0, colon);
    if (!is_canonical_host(host) || (!https && !is_loopback(host)))
        return std::nullopt;
    if (colon != std::string_view::npos &&
        !is_canonical_port(authority.substr(colon + 1), https ? 443 : 80))
        return std::nullopt;
    return Origin{text};
}

} // namespace cps::token
