#include "site_words.hpp"

#include "host_name.hpp"

namespace cps::agent {
namespace {

// A dialog may cut what is longer than its window.
constexpr std::size_t longest_line = 60; // characters of an origin on one line
constexpr std::size_t shown_end = 48;    // characters of a long one's end

/// `text` in rows of `longest_line` characters.
std::string in_rows(std::string_view text)
{
    std::string rows;
    for (; text.size() > longest_line; text.remove_prefix(longest_line))
        rows += "\n  " + std::string{text.substr(0, longest_line)};
    return rows + "\n  " + std::string{text};
}

/// A long name's end, which says whose it is, cut between characters.
std::string end_of(std::string_view name)
{
    std::size_t shown = 0;
    auto begin = name.size();
    for (auto at = name.size(); at-- != 0;) {
        if ((name[at] & 0xC0) == 0x80)
            continue;
        if (shown++ == shown_end)
            return "…" + std::string{name.substr(begin)};
        begin = at;
    }
    return std::string{name};
}

bool is_longer_by_labels(std::string_view longer, std::string_view shorter)
{
    return longer.starts_with(shorter) && longer.substr(shorter.size()).starts_with('.');
}

} // namespace

std::string site_lines(const token::Origin& origin, std::string_view language)
{
    const bool fr = language != "en";
    const std::string& text = origin.str();
    auto lines = std::string{fr ? "Site : " : "Site: "};
    if (text.size() <= longest_line)
        lines += text;
    else
        lines += "…" + text.substr(text.size() - shown_end) +
                 (fr ? "\nEn entier :" : "\nIn full:") + in_rows(text);
    const auto name = HostName::read(host_of(text));
    if (name.kind == HostName::Kind::latin)
        lines += (fr ? "\nSe lit : " : "\nReads: ") + end_of(name.unicode);
    return lines;
}

std::string site_warnings(const token::Origin& origin, std::string_view resembles,
                          std::string_view language)
{
    const bool fr = language != "en";
    std::string warnings;
    const auto add = [&](const std::string& sentence) {
        warnings += (fr ? "ATTENTION : " : "WARNING: ") + sentence + "\n";
    };
    switch (HostName::read(host_of(origin.str())).kind) {
    case HostName::Kind::ascii:
    case HostName::Kind::latin: break;
    case HostName::Kind::foreign:
        add(fr ? "le nom de ce site contient des lettres d'un autre alphabet, qui peuvent "
                 "imiter le nom d'un autre site."
               : "this site's name holds letters of another alphabet, which can imitate "
                 "another site's name.");
        break;
    case HostName::Kind::undecodable:
        add(fr ? "le nom de ce site n'est pas un nom international valide."
               : "this site's name is no valid international name.");
        break;
    }
    if (!resembles.empty())
        add((fr ? "ce site ressemble à " : "this site looks like ") + end_of(resembles) +
            (fr ? ", qui est enregistré, et n'est pas ce site."
                : ", which is registered, and is not that site."));
    return warnings;
}

std::string resembles_registered(const token::Origin& origin, const Portals& portals)
{
    const auto host = host_of(origin.str());
    const auto skeleton = HostName::read(host).skeleton;
    for (const auto& [registered, portal] : portals.all()) {
        const auto other = host_of(registered.str());
        // Its own subdomains and ports are its own affair.
        if (host == other || host.ends_with("." + std::string{other}))
            continue;
        const auto others = HostName::read(other).skeleton;
        if (skeleton == others || is_longer_by_labels(skeleton, others))
            return registered.str();
    }
    return {};
}

} // namespace cps::agent
