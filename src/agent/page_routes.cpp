#include "page_routes.hpp"

#include "consent_routes.hpp"
#include "page_state.hpp"
#include "routes.hpp"
#include "server_sent.hpp"
#include "session_control.hpp"
#include "token_call.hpp"

#include "cps/base/log.hpp"
#include "cps/web/built_in.hpp"

#include <algorithm>
#include <iterator>

namespace cps::agent {
namespace {

/// Nothing but the page's own files, in no frame, kept nowhere.
constexpr std::pair<std::string_view, std::string_view> page_fields[] = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "
                                "connect-src 'self'; img-src data:; "
                                "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
    {"X-Frame-Options", "DENY"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"Cache-Control", "no-store"},
};

http::Response file(std::string_view name, std::string_view type)
{
    const auto files = web::status_page();
    const auto found = std::ranges::find(files, name, &web::BuiltInFile::name);
    if (found == files.end())
        throw Error{Errc::internal, "a file of the page is not built in"};
    http::Response response;
    response.content_type = type;
    response.body = found->contents;
    return response;
}

using Answer = http::Response (*)(const Services&, const http::Request&);

http::Response open_page(const Services& services, const http::Request& request)
{
    const auto ticket = request.field("CPS-Ticket");
    const auto key = ticket ? services.tickets.redeem(*ticket) : std::nullopt;
    if (!key)
        throw Error{Errc::origin_refused, "no ticket, or one that is used or late"};
    return json_response({{"key", *key}});
}

/// The routes that come here have looked at it.
std::string_view key_of(const http::Request& request)
{
    return request.field("CPS-Page").value_or("");
}

http::Response state(const Services& services, const http::Request& request)
{
    services.pages.reading(key_of(request));
    return json_response(page_state(services));
}

http::Response events(const Services& services, const http::Request& request)
{
    auto stream = services.pages.open(key_of(request)).value();
    services.tickets.keep_while(key_of(request), stream);
    return event_stream(std::move(stream));
}

http::Response end_session(const Services& services, const http::Request& request)
{
    return end_sessions(services, request, http::language_of(request, services.language));
}

struct Route {
    std::string_view method;
    std::string_view path;
    Admission::PagePart part;
    bool keyed; ///< wants the page's key
    Answer answer;
};

// clang-format off
constexpr Route routes[] = {
    {"GET",  "/",                Admission::PagePart::page, false,
     [](const Services&, const http::Request&) { return file("index.html", "text/html; charset=utf-8"); }},
    {"GET",  "/page/status.css", Admission::PagePart::file, false,
     [](const Services&, const http::Request&) { return file("status.css", "text/css; charset=utf-8"); }},
    {"GET",  "/page/status.js",  Admission::PagePart::file, false,
     [](const Services&, const http::Request&) { return file("status.js", "text/javascript; charset=utf-8"); }},
    {"GET",  "/page/words.js",   Admission::PagePart::file, false,
     [](const Services&, const http::Request&) { return file("words.js", "text/javascript; charset=utf-8"); }},
    {"POST", "/page/open",       Admission::PagePart::call, false, open_page},
    {"GET",  "/page/state",      Admission::PagePart::call, true,  state},
    {"GET",  "/page/events",     Admission::PagePart::call, true,  events},
    {"POST", "/page/sessions/end", Admission::PagePart::call, true, end_session},
    {"POST", "/page/consents/revoke", Admission::PagePart::call, true, revoke_consents},
};
// clang-format on

http::Response answer(const Services& services, const Admission& admission,
                      const http::Request& request)
{
    const auto route = std::ranges::find_if(routes, [&](const Route& one) {
        return one.path == request.target && one.method == request.method;
    });
    const auto part = route == std::end(routes) ? Admission::PagePart::call : route->part;
    if (const auto admitted = admission.admit_page(request, part); !admitted)
        throw admitted.error();
    if (route == std::end(routes))
        throw Error{Errc::not_found, "no such path"};
    if (route->keyed) {
        if (!services.tickets.admits(key_of(request)))
            throw Error{Errc::origin_refused, "no key of an open page"};
    }
    return route->answer(services, request);
}

} // namespace

void PageRoutes::handle(const Services& services, const Admission& admission,
                        const http::Request& request, http::Reply reply)
{
    http::Response response;
    try {
        response = answer(services, admission, request);
    } catch (const Error& e) {
        log::write(log::Level::info, e);
        response = refuse(e, http::language_of(request, services.language));
    }
    for (const auto& [name, value] : page_fields)
        response.fields.emplace_back(name, value);
    reply(std::move(response));
}

} // namespace cps::agent
