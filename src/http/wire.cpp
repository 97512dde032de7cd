#include "wire.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace cps::http {
namespace {

struct Phrase {
    unsigned status;
    std::string_view words;
};

// RFC 9110, 15; 428 and later: RFC 6585.
constexpr std::array phrases{
    Phrase{200, "OK"},
    Phrase{201, "Created"},
    Phrase{202, "Accepted"},
    Phrase{204, "No Content"},
    Phrase{301, "Moved Permanently"},
    Phrase{302, "Found"},
    Phrase{303, "See Other"},
    Phrase{304, "Not Modified"},
    Phrase{307, "Temporary Redirect"},
    Phrase{308, "Permanent Redirect"},
    Phrase{400, "Bad Request"},
    Phrase{401, "Unauthorized"},
    Phrase{403, "Forbidden"},
    Phrase{404, "Not Found"},
    Phrase{405, "Method Not Allowed"},
    Phrase{406, "Not Acceptable"},
    Phrase{408, "Request Timeout"},
    Phrase{409, "Conflict"},
    Phrase{410, "Gone"},
    Phrase{413, "Content Too Large"},
    Phrase{415, "Unsupported Media Type"},
    Phrase{417, "Expectation Failed"},
    Phrase{421, "Misdirected Request"},
    Phrase{422, "Unprocessable Content"},
    Phrase{429, "Too Many Requests"},
    Phrase{431, "Request Header Fields Too Large"},
    Phrase{500, "Internal Server Error"},
    Phrase{501, "Not Implemented"},
    Phrase{502, "Bad Gateway"},
    Phrase{503, "Service Unavailable"},
    Phrase{504, "Gateway Timeout"},
};

constexpr std::array<std::string_view, 6> ours{
    "Connection", "Keep-Alive", "Content-Length", "Transfer-Encoding", "Content-Type", "Date"};

bool set_by(const Response& response, std::string_view name)
{
    return std::ranges::any_of(
        response.fields, [&](const Field& field) { return same_word(field.first, name); });
}

void add(std::string& out, std::string_view name, std::string_view value)
{
    out.append(name).append(": ").append(value).append("\r\n");
}

/// IMF-fixdate (RFC 9110, 5.6.7); not strftime's, which speaks the locale's language.
std::string date(std::time_t now)
{
    constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm t{};
    gmtime_r(&now, &t);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                  days.at(static_cast<std::size_t>(t.tm_wday)), t.tm_mday,
                  months.at(static_cast<std::size_t>(t.tm_mon)), t.tm_year + 1900, t.tm_hour,
                  t.tm_min, t.tm_sec);
    return text.data();
}

} // namespace

std::string_view reason_phrase(unsigned status) noexcept
{
    const auto row = std::ranges::find(phrases, status, &Phrase::status);
    return row == phrases.end() ? "Status" : row->words;
}

bool well_formed(const Response& response) noexcept
{
    return response.status >= 200 && response.status <= 599 &&
           is_field_value(response.content_type) &&
           std::ranges::all_of(response.fields, [](const Field& field) {
               return is_token(field.first) && is_field_value(field.second);
           });
}

std::string to_octets(const Response& response, const Framing& framing)
{
    // Neither has a body, nor a length (RFC 9110, 8.6).
    const bool bodiless = response.status == 204 || response.status == 304;

    std::string out = "HTTP/1.1 " + std::to_string(response.status) + ' ';
    out.append(reason_phrase(response.status)).append("\r\n");
    add(out, "Date", date(framing.now));
    if (!bodiless) {
        if (!response.content_type.empty())
            add(out, "Content-Type", response.content_type);
        if (!response.stream) // else its end is the connection's (RFC 9112, 6.3, 8)
            add(out, "Content-Length", std::to_string(response.body.size()));
    }
    if (!set_by(response, "Cache-Control"))
        add(out, "Cache-Control", "no-store");
    if (!set_by(response, "X-Content-Type-Options"))
        add(out, "X-Content-Type-Options", "nosniff");
    for (const auto& field : response.fields)
        if (std::ranges::none_of(
                ours, [&](std::string_view own) { return same_word(own, field.first); }))
            add(out, field.first, field.second);
    if (!framing.keep_alive)
        add(out, "Connection", "close");
    else if (framing.http_1_0)
        add(out, "Connection", "keep-alive");
    out.append("\r\n");
    if (!bodiless && !framing.head_only)
        out.append(response.body);
    return out;
}

} // namespace cps::http
