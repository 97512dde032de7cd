#include "cps/http/message.hpp"

#include "text.hpp"
#include "wire.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace cps::http {

std::size_t Request::count(std::string_view name) const
{
    return static_cast<std::size_t>(std::ranges::count_if(
        fields, [&](const Field& each) { return same_word(each.first, name); }));
}

std::optional<std::string_view> Request::field(std::string_view name) const
{
    if (count(name) != 1)
        return std::nullopt;
    const auto found = std::ranges::find_if(
        fields, [&](const Field& each) { return same_word(each.first, name); });
    return found->second;
}

std::string_view Request::path() const
{
    return std::string_view{target}.substr(0, target.find('?'));
}

std::string_view Request::query() const
{
    const auto mark = target.find('?');
    return mark == std::string::npos ? std::string_view{}
                                     : std::string_view{target}.substr(mark + 1);
}

Response problem(Errc code, std::string_view language, std::optional<int> tries_left,
                 unsigned status)
{
    Response response;
    response.status = status != 0 ? status : http_status(code);
    boost::json::object body{
        // "about:blank": the title is the status's own phrase, `code` says what it is
        // (RFC 9457, 4.2.1).
        {"type", "about:blank"},
        {"title", reason_phrase(response.status)},
        {"status", response.status},
        {"code", stable_code(code)},
        {"detail", explain(code, language)},
    };
    if (tries_left)
        body["tries_left"] = *tries_left;
    response.content_type = "application/problem+json";
    response.body = boost::json::serialize(body);
    return response;
}

} // namespace cps::http
