#include "cps/http/message.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>

namespace cps::http {
namespace {

// A browser lists a handful; what comes after is not looked at.
constexpr int max_ranges = 32;

/// `0.8` in thousandths: 800 (RFC 9110, 12.4.2).
std::optional<int> weight_of(std::string_view text)
{
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') ||
        (text.size() > 1 && text[1] != '.'))
        return std::nullopt;
    int weight = (text[0] - '0') * 1000;
    int worth = 100;
    for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (c < '0' || c > '9')
            return std::nullopt;
        weight += (c - '0') * worth;
        worth /= 10;
    }
    return weight <= 1000 ? std::optional{weight} : std::nullopt;
}

struct Range {
    std::string_view primary; ///< `fr` of `fr-CA`
    int weight = 1000;
};

std::optional<Range> range_of(std::string_view item)
{
    Range range;
    const auto mark = item.find(';');
    if (mark != std::string_view::npos) {
        const auto parameter = trimmed(item.substr(mark + 1));
        if (parameter.size() < 2 || !same_word(parameter.substr(0, 2), "q="))
            return std::nullopt;
        const auto weight = weight_of(parameter.substr(2));
        if (!weight)
            return std::nullopt;
        range.weight = *weight;
    }
    const auto tag = trimmed(item.substr(0, mark));
    range.primary = tag.substr(0, tag.find('-'));
    return range;
}

struct Spoken {
    std::string_view language;
    std::optional<int> weight;
};

} // namespace

std::string_view language_of(const Request& request, std::string_view fallback)
{
    std::string_view rest = request.field("Accept-Language").value_or("");
    std::array<Spoken, 2> spoken{{{"fr", {}}, {"en", {}}}};
    std::optional<int> any;
    std::string_view first; // the one named first wins a draw

    for (int i = 0; i != max_ranges && !rest.empty(); ++i) {
        const auto comma = rest.find(',');
        const auto range = range_of(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
        if (!range)
            continue;
        if (range->primary == "*")
            any = range->weight;
        for (auto& each : spoken) {
            if (!same_word(range->primary, each.language))
                continue;
            if (!each.weight || *each.weight < range->weight)
                each.weight = range->weight;
            if (first.empty())
                first = each.language;
        }
    }

    const int fr = spoken[0].weight.value_or(any.value_or(0));
    const int en = spoken[1].weight.value_or(any.value_or(0));
    if (fr > en)
        return "fr";
    if (en > fr)
        return "en";
    return fr != 0 && !first.empty() ? first : fallback;
}

} // namespace cps::http
