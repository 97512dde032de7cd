#include "cps/base/encoding.hpp"

#include <array>

namespace cps {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";
constexpr std::string_view standard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_safe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t no_digit = 0xFF;

constexpr std::array<std::uint8_t, 256> inverse(std::string_view alphabet)
{
    std::array<std::uint8_t, 256> table{};
    table.fill(no_digit);
    for (std::size_t i = 0; i != alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return table;
}
constexpr auto standard_inverse = inverse(standard);
constexpr auto url_safe_inverse = inverse(url_safe);

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

std::string encode(ByteView bytes, std::string_view alphabet)
{
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t accumulator = 0;
    unsigned bits = 0;
    for (const auto byte : bytes) {
        accumulator = accumulator << 8 | byte;
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            out += alphabet[accumulator >> bits & 0x3F];
        }
    }
    if (bits != 0)
        out += alphabet[accumulator << (6 - bits) & 0x3F];
    return out;
}

std::optional<Bytes> decode(std::string_view text, const std::array<std::uint8_t, 256>& table)
{
    if (text.size() % 4 == 1)
        return std::nullopt;
    Bytes out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t accumulator = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const auto value = table[static_cast<unsigned char>(c)];
        if (value == no_digit)
            return std::nullopt;
        accumulator = (accumulator << 6 | value) & 0xFFFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<std::uint8_t>(accumulator >> bits));
        }
    }
    const auto left_over = accumulator & ((1U << bits) - 1);
    if (left_over != 0)
        return std::nullopt;
    return out;
}

} // namespace

std::string to_hex(ByteView bytes, char separator)
{
    std::string out;
    out.reserve(bytes.size() * (separator != 0 ? 3 : 2));
    for (const auto byte : bytes) {
        if (separator != 0 && !out.empty())
            out += separator;
        out += hex_digits[byte >> 4];
        out += hex_digits[byte & 0xF];
    }
    return out;
}

std::string to_lower_hex(ByteView bytes)
{
    auto out = to_hex(bytes);
    for (auto& digit : out)
        if (digit >= 'A')
            digit = static_cast<char>(digit - 'A' + 'a');
    return out;
}

std::optional<Bytes> from_hex(std::string_view text)
{
    Bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i != text.size();) {
        if (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
            ++i;
            continue;
        }
        if (i + 1 == text.size())
            return std::nullopt;
        const auto high = hex_value(text[i]);
        const auto low = hex_value(text[i + 1]);
        if (high < 0 || low < 0)
            return std::nullopt;
        out.push_back(static_cast<std::uint8_t>(high << 4 | low));
        i += 2;
    }
    return out;
}

std::string to_base64url(ByteView bytes)
{
    return encode(bytes, url_safe);
}

std::optional<Bytes> from_base64url(std::string_view text)
{
    return decode(text, url_safe_inverse);
}

std::string to_base64(ByteView bytes)
{
    auto out = encode(bytes, standard);
    out.append((4 - out.size() % 4) % 4, '=');
    return out;
}

std::optional<Bytes> from_base64(std::string_view text)
{
    if (text.size() % 4 != 0)
        return std::nullopt;
    if (text.ends_with("=="))
        text.remove_suffix(2);
    else if (text.ends_with('='))
        text.remove_suffix(1);
    return decode(text, standard_inverse);
}

} // namespace cps
