#include "host_name.hpp"

#include <idn2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

namespace cps::agent {
namespace {

struct Idn2Free {
    void operator()(void* memory) const noexcept { idn2_free(memory); }
};

/// The letters of an `xn--` label, if it is the one spelling of a valid name.
std::optional<std::u32string> decode(const std::string& label)
{
    std::uint32_t* raw = nullptr;
    const int decoded = idn2_to_unicode_8z4z(label.c_str(), &raw, 0);
    const std::unique_ptr<std::uint32_t, Idn2Free> letters{raw};
    if (decoded != IDN2_OK)
        return std::nullopt;
    char* raw_again = nullptr;
    const int encoded = idn2_to_ascii_4z(letters.get(), &raw_again, IDN2_NO_TR46);
    const std::unique_ptr<char, Idn2Free> again{raw_again};
    if (encoded != IDN2_OK || label != again.get())
        return std::nullopt;
    std::u32string out;
    for (const auto* c = letters.get(); *c != 0; ++c)
        out += static_cast<char32_t>(*c);
    return out;
}

std::string to_utf8(std::u32string_view text)
{
    std::string out;
    const auto add = [&](char32_t octet) { out += static_cast<char>(octet); };
    for (const auto c : text) {
        if (c < 0x80) {
            add(c);
        } else if (c < 0x800) {
            add(0xC0 | c >> 6);
            add(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            add(0xE0 | c >> 12);
            add(0x80 | (c >> 6 & 0x3F));
            add(0x80 | (c & 0x3F));
        } else {
            add(0xF0 | c >> 18);
            add(0x80 | (c >> 12 & 0x3F));
            add(0x80 | (c >> 6 & 0x3F));
            add(0x80 | (c & 0x3F));
        }
    }
    return out;
}

/// U+00E0 to U+017F without their accents; '?' stands for what is no lower-case letter, or
/// one that could pass for another (dotless i, kra, middle dot, 'n, long s).
constexpr std::u32string_view latin_bases = U"aaaaaaaceeeeiiii"
                                            U"dnooooo?ouuuuypy"
                                            U"?a?a?a?c?c?c?c?d"
                                            U"?d?e?e?e?e?e?g?g"
                                            U"?g?g?h?h?i?i?i?i"
                                            U"???i?j?k??l?l?l?"
                                            U"??l?n?n?n??n?o?o"
                                            U"?o?o?r?r?r?s?s?s"
                                            U"?s?t?t?t?u?u?u?u"
                                            U"?u?u?w?y??z?z?z?";
constexpr char32_t first_accented = 0xE0;
static_assert(latin_bases.size() == 0x180 - first_accented);

/// The letter under the accent; 0 where `c` is no common Latin letter, digit or hyphen.
char32_t latin_base(char32_t c)
{
    if (c < 0x80)
        return c;
    if (c == 0xDF)
        return U's';
    if (c < first_accented || c - first_accented >= latin_bases.size())
        return 0;
    const auto base = latin_bases[c - first_accented];
    return base == U'?' ? 0 : base;
}

struct LookAlike {
    char32_t letter;
    char latin;
};
/// Letters that a person takes for a Latin one: Cyrillic, Greek, Armenian, and Latin's own
/// odd ones. In ascending order.
constexpr std::array look_alikes{
    LookAlike{0x131, 'i'}, LookAlike{0x138, 'k'}, LookAlike{0x17F, 'f'}, LookAlike{0x251, 'a'},
    LookAlike{0x261, 'g'}, LookAlike{0x269, 'i'}, LookAlike{0x26F, 'm'}, LookAlike{0x28B, 'u'},
    LookAlike{0x28F, 'y'}, LookAlike{0x3AC, 'a'}, LookAlike{0x3B1, 'a'}, LookAlike{0x3B3, 'y'},
    LookAlike{0x3B7, 'n'}, LookAlike{0x3B9, 'i'}, LookAlike{0x3BA, 'k'}, LookAlike{0x3BD, 'v'},
    LookAlike{0x3BF, 'o'}, LookAlike{0x3C1, 'p'}, LookAlike{0x3C3, 'o'}, LookAlike{0x3C4, 't'},
    LookAlike{0x3C5, 'u'}, LookAlike{0x3C7, 'x'}, LookAlike{0x3C9, 'w'}, LookAlike{0x3CC, 'o'},
    LookAlike{0x3CD, 'u'}, LookAlike{0x430, 'a'}, LookAlike{0x432, 'b'}, LookAlike{0x433, 'r'},
    LookAlike{0x435, 'e'}, LookAlike{0x43A, 'k'}, LookAlike{0x43C, 'm'}, LookAlike{0x43D, 'h'},
    LookAlike{0x43E, 'o'}, LookAlike{0x43F, 'n'}, LookAlike{0x440, 'p'}, LookAlike{0x441, 'c'},
    LookAlike{0x442, 't'}, LookAlike{0x443, 'y'}, LookAlike{0x445, 'x'}, LookAlike{0x44C, 'b'},
    LookAlike{0x451, 'e'}, LookAlike{0x455, 's'}, LookAlike{0x456, 'i'}, LookAlike{0x457, 'i'},
    LookAlike{0x458, 'j'}, LookAlike{0x475, 'v'}, LookAlike{0x4BB, 'h'}, LookAlike{0x4CF, 'l'},
    LookAlike{0x501, 'd'}, LookAlike{0x51B, 'q'}, LookAlike{0x51D, 'w'}, LookAlike{0x570, 'h'},
    LookAlike{0x578, 'n'}, LookAlike{0x57D, 'u'}, LookAlike{0x581, 'g'}, LookAlike{0x585, 'o'},
};
static_assert(std::ranges::is_sorted(look_alikes, {}, &LookAlike::letter));

void add_to_skeleton(std::string& skeleton, char32_t c)
{
    if (c == U'-')
        return;
    const auto found = std::ranges::lower_bound(look_alikes, c, {}, &LookAlike::letter);
    auto latin = found != look_alikes.end() && found->letter == c
                     ? static_cast<char32_t>(found->latin)
                     : latin_base(c);
    if (latin == U'0')
        latin = U'o';
    if (latin == U'1' || latin == U'i')
        latin = U'l';
    if (latin == U'n' && skeleton.ends_with('r')) // rn reads as m
        skeleton.back() = 'm';
    else if (latin == U'v' && skeleton.ends_with('v')) // vv as w
        skeleton.back() = 'w';
    else
        skeleton += latin != 0 ? static_cast<char>(latin) : '?';
}

} // namespace

HostName HostName::read(std::string_view host)
{
    HostName name;
    std::u32string letters;
    for (auto rest = host;;) {
        const auto dot = rest.find('.');
        const std::string label{rest.substr(0, dot)};
        std::u32string decoded{label.begin(), label.end()};
        if (label.starts_with("xn--")) {
            const auto found = decode(label);
            const bool latin = found && std::ranges::all_of(*found, latin_base);
            const auto kind = !found ? Kind::undecodable : latin ? Kind::latin : Kind::foreign;
            name.kind = std::max(name.kind, kind);
            decoded = found.value_or(decoded);
        }
        letters += decoded;
        if (dot == std::string_view::npos)
            break;
        letters += U'.';
        rest.remove_prefix(dot + 1);
    }
    if (name.kind == Kind::latin)
        name.unicode = to_utf8(letters);
    for (const auto c : letters)
        add_to_skeleton(name.skeleton, c);
    return name;
}

std::string_view host_of(std::string_view origin)
{
    auto host = origin.substr(origin.find("//") + 2);
    const auto bracket = host.rfind(']');
    return host.substr(0, host.find(':', bracket == std::string_view::npos ? 0 : bracket));
}

} // namespace cps::agent
