#pragma once

#include <algorithm>
#include <string_view>

namespace cps::http {

constexpr char lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Equal but for the case of ASCII letters, whatever the locale says.
constexpr bool same_word(std::string_view a, std::string_view b) noexcept
{
    return std::ranges::equal(a, b, {}, lower, lower);
}

/// Without the spaces and tabs around it (RFC 9110, 5.6.3).
constexpr std::string_view trimmed(std::string_view text) noexcept
{
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// A field's name: `token` (RFC 9110, 5.6.2).
constexpr bool is_token(std::string_view text) noexcept
{
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
               std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    });
}

/// A field's value: nothing that could end its line (RFC 9110, 5.5).
constexpr bool is_field_value(std::string_view text) noexcept
{
    return std::ranges::none_of(text, [](char c) {
        const auto value = static_cast<unsigned char>(c);
        return (value < 0x20 && c != '\t') || value == 0x7F;
    });
}

} // namespace cps::http
