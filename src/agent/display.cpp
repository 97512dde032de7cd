#include "display.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace cps::agent {
namespace {

/// One code point from `text` at `at`, moved past it; empty for what is not UTF-8 (RFC 3629).
std::optional<char32_t> next_character(std::string_view text, std::size_t& at)
{
    const auto octet = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto first = octet(at);
    const std::size_t length = first < 0x80       ? 1
                               : first >> 5 == 6  ? 2
                               : first >> 4 == 14 ? 3
                               : first >> 3 == 30 ? 4
                                                  : 0;
    if (length == 0) {
        ++at;
        return std::nullopt;
    }
    auto value = static_cast<char32_t>(length == 1 ? first : first & (0x7FU >> length));
    for (std::size_t i = 1; i != length; ++i) {
        if ((octet(at + i) & 0xC0U) != 0x80U) {
            at += i;
            return std::nullopt;
        }
        value = value << 6 | (octet(at + i) & 0x3FU);
    }
    at += length;
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < least[length] || surrogate || value > 0x10FFFF)
        return std::nullopt;
    return value;
}

/// Controls, format and bidirectional characters, separators, private use, tags.
bool is_deceptive(char32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x34F || c == 0x61C ||
           (c >= 0x115F && c <= 0x1160) || (c >= 0x17B4 && c <= 0x17B5) ||
           (c >= 0x180B && c <= 0x180F) || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x3164 ||
           (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF ||
           c == 0xFFA0 || (c >= 0xFFF0 && c <= 0xFFFB) || c >= 0xE0000;
}

std::size_t characters(std::string_view text)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

/// Where the first word of `text` ends: not before the signs that French sets apart.
std::size_t end_of_word(std::string_view text)
{
    for (auto at = text.find(' '); at != text.npos; at = text.find(' ', at + 1)) {
        const auto next = text.substr(at + 1);
        const bool apart = next.empty() || next.starts_with("»") ||
                           std::string_view{":;!?"}.find(next.front()) != text.npos ||
                           text.substr(0, at).ends_with("«");
        if (!apart)
            return at;
    }
    return text.size();
}

/// As many octets of `word` as `room` characters take.
std::size_t octets_of(std::string_view word, std::size_t room)
{
    std::size_t at = 0;
    while (at != word.size() && ((word[at] & 0xC0) == 0x80 || room-- != 0))
        ++at;
    return at;
}

/// One line in rows; what goes on stands below the words of its first row.
std::string line_in_rows(std::string_view line)
{
    if (characters(line) <= max_columns)
        return std::string{line};
    constexpr std::string_view bullet = "• ";
    auto indent = std::min(line.find_first_not_of(' '), max_columns / 2);
    std::string rows{line.substr(0, indent)};
    line.remove_prefix(indent);
    if (line.starts_with(bullet)) {
        rows += bullet;
        line.remove_prefix(bullet.size());
        indent += characters(bullet);
    }
    const auto new_row = [&] { rows += '\n' + std::string(indent, ' '); };
    for (auto used = indent; !line.empty();) {
        auto word = line.substr(0, end_of_word(line));
        const bool first = used == indent;
        if (!first && used + 1 + characters(word) > max_columns) {
            new_row();
            used = indent;
            continue;
        }
        if (first)
            word = word.substr(0, octets_of(word, max_columns - indent));
        else
            rows += ' ';
        rows += word;
        used += characters(word) + (first ? 0 : 1);
        line.remove_prefix(word.size());
        if (line.starts_with(' ')) {
            line.remove_prefix(1);
        } else if (!line.empty()) { // a word that is wider than a row
            new_row();
            used = indent;
        }
    }
    return rows;
}

} // namespace

std::string for_display(std::string_view text, std::size_t max_characters)
{
    const auto max_octets = max_characters + max_characters / 2;
    std::string out;
    std::size_t shown = 0;
    for (std::size_t at = 0; at != text.size();) {
        const auto begin = at;
        const auto character = next_character(text, at);
        if (!character || is_deceptive(*character))
            continue;
        if (shown++ == max_characters || out.size() + (at - begin) > max_octets)
            return out + "…";
        out += text.substr(begin, at - begin);
    }
    return out;
}

std::string in_rows(std::string_view text)
{
    std::string rows;
    for (;;) {
        const auto end = text.find('\n');
        rows += line_in_rows(text.substr(0, end));
        if (end == text.npos)
            return rows;
        rows += '\n';
        text.remove_prefix(end + 1);
    }
}

std::size_t octets_shown(std::string_view text)
{
    const auto rows = in_rows(text);
    return rows.size() + 2 * static_cast<std::size_t>(std::ranges::count_if(
                                 rows, [](char c) { return c == '\n' || c == '%'; }));
}

} // namespace cps::agent
