#include "portal.hpp"

#include "answers.hpp"

#include "cps/base/log.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace cps::portal {

struct Portal::Route {
    std::string_view method;
    std::string_view path;
    http::Response (Portal::*handler)(const Call&);
};

/// All that the portal answers, but `POST /api/login`, which is answered later (log_in), and
/// the files of the page.
// clang-format off
const Portal::Route Portal::routes[] = {
    {"GET",  "/api/me",                      &Portal::show_me},
    {"GET",  "/api/patients",                 &Portal::look_up_patient},
    {"POST", "/api/logout",                   &Portal::log_out},
    {"GET",  "/.well-known/cps-portal.json",  &Portal::show_features},
};
// clang-format on

namespace {

constexpr std::string_view login_path = "/api/login";

/// `host[:port]` of an origin: what Host must say.
std::string_view authority_of(const token::Origin& origin)
{
    const std::string_view text = origin.str();
    return text.substr(text.find("//") + 2);
}

bool is_json(const http::Request& request)
{
    const auto type = request.field("Content-Type").value_or(std::string_view{});
    return type.substr(0, type.find(';')) == "application/json";
}

} // namespace

Portal::Portal(boost::asio::io_context& io, const Clock& clock, Parts parts)
    : io_{io},
      clock_{clock},
      origin_{std::move(parts.origin)},
      accounts_{std::move(parts.accounts)},
      pages_{std::move(parts.pages)},
      cookie_{origin_},
      sessions_{clock},
      login_limit_{clock},
      nonces_{clock},
      verifier_{{origin_, std::move(parts.policies)}, std::move(parts.trust), nonces_, clock}
{
}

void Portal::handle(http::Request request, http::Reply reply)
{
    const auto refused_with = refuse(request);
    if (!refused_with && request.path() == login_path && request.method == "POST")
        return log_in(request, reply);
    send(reply, refused_with ? *refused_with : dispatch(request));
}

/// What every request must meet before anybody looks at what it wants.
std::optional<http::Response> Portal::refuse(const http::Request& request) const
{
    const auto language = http::language_of(request, "fr");
    if (request.field("Host") != authority_of(origin_)) // DNS rebinding
        return problem(Problem::host_refused, language);
    if (!request.path().starts_with("/api/"))
        return std::nullopt;
    if (request.field("Sec-Fetch-Site").value_or("same-origin") != "same-origin")
        return problem(Problem::origin_refused, language);
    if (request.method == "GET")
        return std::nullopt;
    if (request.field("Origin") != origin_.str())
        return problem(Problem::origin_refused, language);
    if (!is_json(request))
        return problem(Problem::media_type_refused, language);
    return std::nullopt;
}

http::Response Portal::dispatch(const http::Request& request)
{
    const auto language = http::language_of(request, "fr");
    const auto cookie = cookie_.of(request).value_or(std::string{});
    const Call call{request, language, cookie,
                    cookie.empty() ? nullptr : sessions_.find(cookie)};

    const auto same_path = [&](const Route& r) { return r.path == request.path(); };
    const auto* route = std::ranges::find_if(
        routes, [&](const Route& r) { return same_path(r) && r.method == request.method; });
    if (route != std::end(routes))
        return (this->*route->handler)(call);
    if (request.path() == login_path || std::ranges::any_of(routes, same_path))
        return problem(Problem::method_refused, language);
    return show_page(call);
}

http::Response Portal::show_page(const Call& call)
{
    auto page = pages_.find(call.request.path());
    if (!page)
        return problem(Problem::not_found, call.language);
    if (call.request.method != "GET")
        return problem(Problem::method_refused, call.language);
    return std::move(*page);
}

/// What an agent's owner is asked to agree to when the portal is registered.
http::Response Portal::show_features(const Call&)
{
    return json(200, {{"v", 1},
                      {"origin", origin_.str()},
                      {"name", {{"fr", "Portail de démonstration"}, {"en", "Demo portal"}}},
                      {"features",
                       {{{"id", "infopatient.read"},
                         {"label",
                          {{"fr", "Consulter les droits d'un patient"},
                           {"en", "Look up a patient's rights"}}},
                         {"mode", "card"}}}},
                      {"redirect_uris", boost::json::array{}}});
}

/// Adds what goes with every answer.
void Portal::send(const http::Reply& reply, http::Response response) const
{
    const auto add = [&](const char* name, std::string value) {
        response.fields.emplace_back(name, std::move(value));
    };
    add("Content-Security-Policy", pages_.security_policy());
    add("X-Content-Type-Options", "nosniff");
    add("Referrer-Policy", "no-referrer");
    add("Cross-Origin-Opener-Policy", "same-origin");
    add("Cross-Origin-Resource-Policy", "same-origin");
    add("Cache-Control", "no-store");
    if (origin_.is_https())
        add("Strict-Transport-Security", "max-age=31536000");
    reply(std::move(response));
}

/// One line an access: route and code, never a patient's number, never what was typed.
void Portal::audit(std::string_view route, std::string_view account,
                   std::string_view code) const
{
    log::notice("audit route=" + std::string{route} + " account=" +
                (account.empty() ? "-" : std::string{account}) + " code=" + std::string{code});
}

} // namespace cps::portal
