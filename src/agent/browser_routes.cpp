#include "routes.hpp"

#include "page_routes.hpp"
#include "recording.hpp"
#include "server_sent.hpp"
#include "session_routes.hpp"
#include "token_call.hpp"
#include "web_eid_call.hpp"

#include "cps/base/log.hpp"
#include "cps/token/json.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <iterator>

namespace cps::agent {
namespace {

constexpr int api_version = 1;
constexpr int profile_version = 1;

void hello(const Services&, const Caller&, const http::Request&, http::Reply reply)
{
    reply(json_response({{"agent", "cps-agent"},
                         {"version", CPS_VERSION},
                         {"api", api_version},
                         {"profile", profile_version}}));
}

void status(const Services& services, const Caller&, const http::Request&, http::Reply reply)
{
    reply(json_response(to_json(services.presence.status())));
}

void events(const Services& services, const Caller& caller, const http::Request& request,
            http::Reply reply)
{
    auto stream = services.events.open(caller.origin);
    if (!stream)
        return reply(refuse(stream.error(), http::language_of(request, services.language)));
    reply(event_stream(*std::move(stream)));
}

void make_token(const Services& services, const Caller& caller, const http::Request& request,
                http::Reply reply)
{
    auto language = std::string{http::language_of(request, services.language)};
    const auto body = token::parse_json(request.body, max_token_body);
    if (!body || !body->is_object())
        return reply(refuse({Errc::bad_request, "the body is not a JSON object"}, language));
    auto call = read_token_call(body->get_object(), caller);
    if (!call)
        return reply(refuse(call.error(), language));
    call->gone = request.gone;
    answer_token_call(services, std::move(*call), std::move(language), std::move(reply));
}

enum class Access { registered, anyone_who_logs_in };

struct Route {
    std::string_view method;
    std::string_view path;
    Access access;
    void (*handler)(const Services&, const Caller&, const http::Request&, http::Reply);
};

/// The whole surface that browsers see. To add an endpoint: one line here, one function, one
/// test, one row in docs/http-api.md.
// clang-format off
constexpr Route routes[] = {
    {"GET",    "/v1/hello",                Access::registered,         hello},
    {"GET",    "/v1/status",               Access::registered,         status},
    {"GET",    "/v1/events",               Access::registered,         events},
    {"POST",   "/v1/tokens",               Access::anyone_who_logs_in, make_token},
    {"POST",   "/v1/sessions",             Access::registered,         open_session},
    {"DELETE", "/v1/sessions/{id}",        Access::registered,         end_session},
    {"POST",   "/v1/sessions/{id}/renew",  Access::registered,         renew_session},
    {"POST",   "/v1/sessions/{id}/tokens", Access::registered,         make_feature_token},
    {"POST",   "/v1/web-eid",              Access::registered,         make_web_eid_token},
};
// clang-format on

constexpr bool unique()
{
    for (std::size_t i = 0; i != std::size(routes); ++i)
        for (std::size_t j = 0; j != i; ++j)
            if (routes[i].method == routes[j].method && routes[i].path == routes[j].path)
                return false;
    return true;
}
static_assert(unique(), "two routes share a method and a path");

/// Whether `path` is what a route says; `{id}` stands for one segment.
bool matches(std::string_view pattern, std::string_view path)
{
    constexpr std::string_view variable = "{id}";
    const auto at = pattern.find(variable);
    if (at == std::string_view::npos)
        return pattern == path;
    const auto before = pattern.substr(0, at);
    const auto after = pattern.substr(at + variable.size());
    return path.size() > before.size() + after.size() && path.starts_with(before) &&
           path.ends_with(after) &&
           path.substr(at, path.size() - before.size() - after.size()).find('/') ==
               std::string_view::npos;
}

std::string methods_of(std::string_view path)
{
    std::string allowed;
    for (const auto& route : routes)
        if (matches(route.path, path))
            allowed += std::string{route.method} + ", ";
    return allowed + "OPTIONS";
}

/// CORS: the one allowed origin, never `*`, no credentials (Fetch, 3.3).
void share_with(http::Response& response, const Caller& caller)
{
    response.fields.emplace_back("Access-Control-Allow-Origin", caller.origin.str());
    response.fields.emplace_back("Vary", "Origin");
}

http::Response preflight(const http::Request& request)
{
    http::Response response;
    response.status = 204;
    response.fields.emplace_back("Access-Control-Allow-Methods", methods_of(request.path()));
    response.fields.emplace_back("Access-Control-Allow-Headers", "Content-Type, CPS-Agent");
    response.fields.emplace_back("Access-Control-Max-Age", "600");
    return response;
}

} // namespace

void BrowserRoutes::handle(http::Request request, http::Reply reply)
{
    if (PageRoutes::owns(request.path()))
        return PageRoutes::handle(services_, admission_, request, std::move(reply));
    const auto language = http::language_of(request, services_.language);
    const auto caller = admission_.admit(request);
    if (!caller) {
        log::write(log::Level::info, caller.error());
        record_refusal(services_.journal, request, caller.error().code());
        return reply(refuse(caller.error(), language));
    }
    auto share = [caller = *caller, reply](http::Response response) {
        share_with(response, caller);
        reply(std::move(response));
    };

    const auto path = request.path();
    const auto at_path = [&](const Route& route) { return matches(route.path, path); };
    const auto known = std::ranges::find_if(routes, at_path);
    const bool known_path = known != std::end(routes) && request.query().empty();
    // An unknown origin learns nothing of what else there is.
    if (caller->portal == nullptr && (!known_path || known->access == Access::registered))
        return reply(refuse({Errc::origin_refused, "more than login"}, language));
    if (!known_path)
        return share(refuse({Errc::not_found, "no such path"}, language));
    if (request.method == "OPTIONS")
        return share(preflight(request));
    const auto route = std::ranges::find_if(
        routes, [&](const Route& one) { return at_path(one) && one.method == request.method; });
    if (route == std::end(routes)) {
        auto response = refuse({Errc::method_refused, "no such method here"}, language);
        response.fields.emplace_back("Allow", methods_of(path));
        return share(std::move(response));
    }
    if (request.method != "GET")
        if (const auto admitted = Admission::admit_change(request); !admitted)
            return share(refuse(admitted.error(), language));
    route->handler(services_, *caller, request, std::move(share));
}

} // namespace cps::agent
