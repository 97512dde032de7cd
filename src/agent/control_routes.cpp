#include "routes.hpp"

#include "consent_routes.hpp"
#include "pin_routes.hpp"
#include "session_control.hpp"
#include "token_call.hpp"

#include "cps/token/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cps::agent {
namespace json = boost::json;
namespace {

std::string_view name_of(pcsc::CardState state)
{
    switch (state) {
    case pcsc::CardState::absent: return "absent";
    case pcsc::CardState::present: return "present";
    case pcsc::CardState::mute: return "mute";
    case pcsc::CardState::exclusive: return "exclusive";
    }
    return "";
}

http::Response status(const Services& services)
{
    const auto snapshot = services.presence.snapshot();
    json::array readers;
    for (const auto& reader : snapshot.readers)
        readers.push_back(json::object{{"name", reader.name}, {"card", name_of(reader.card)}});
    json::array portals;
    for (const auto& [origin, portal] : services.portals.all())
        portals.push_back(json::object{{"origin", origin.str()}, {"name", portal.name.fr}});
    json::array problems;
    for (const auto& problem : services.problems)
        problems.emplace_back(problem.str());

    const auto login =
        name_of(services.login != nullptr ? services.login->hearing() : LoginHearing::unknown);
    http::Response response;
    response.content_type = "application/json";
    response.body = json::serialize(json::object{{"agent", "cps-agent"},
                                                 {"version", CPS_VERSION},
                                                 {"port", services.port},
                                                 {"module", services.config.module},
                                                 {"service", snapshot.service},
                                                 {"login", login},
                                                 {"card", services.presence.status().card},
                                                 {"readers", std::move(readers)},
                                                 {"portals", std::move(portals)},
                                                 {"problems", std::move(problems)}});
    return response;
}

/// Reads the configuration anew; a file that is bad is named, with its line.
http::Response read_again(const Services& services, std::string_view language)
{
    if (services.reload == nullptr)
        return refuse({Errc::not_found, "no such path"}, language);
    const auto done = services.reload->run();
    if (!done)
        return refuse(done.error(), language);
    json::array problems;
    for (const auto& problem : services.problems)
        problems.emplace_back(problem.str());
    json::array restart;
    for (const auto name : done->restart)
        restart.emplace_back(name);
    return json_response({{"reloaded", done->taken},
                          {"portals", services.portals.all().size()},
                          {"problems", std::move(problems)},
                          {"restart", std::move(restart)}});
}

/// A ticket to the status page, in the address that a browser opens. It stands in the
/// fragment, which no browser sends anywhere.
http::Response ticket(const Services& services)
{
    http::Response response;
    response.content_type = "application/json";
    response.body = json::serialize(
        json::object{{"url", "http://127.0.0.1:" + std::to_string(services.port) + "/#" +
                                 services.tickets.issue()}});
    return response;
}

/// The same call as a browser's, the origin named by the person's own tool. The portal must
/// be registered, and the consent and the PIN are the same.
void make_token(const Services& services, const http::Request& request, http::Reply reply)
{
    auto language = std::string{http::language_of(request, services.language)};
    const auto body = token::parse_json(request.body, max_token_body);
    if (!body || !body->is_object())
        return reply(refuse({Errc::bad_request, "the body is not a JSON object"}, language));
    auto members = body->get_object();
    const auto* const named = members.if_contains("origin");
    const auto origin = named != nullptr && named->is_string()
                            ? token::Origin::parse(std::string_view{named->get_string()})
                            : std::nullopt;
    if (!origin)
        return reply(refuse({Errc::bad_request, "no origin"}, language));
    members.erase("origin");
    const auto caller = Admission::admit_origin(*origin, services.config, services.portals);
    if (!caller)
        return reply(refuse(caller.error(), language));
    auto call = read_token_call(members, *caller);
    if (!call)
        return reply(refuse(call.error(), language));
    call->gone = request.gone;
    answer_token_call(services, std::move(*call), std::move(language), std::move(reply));
}

} // namespace

void ControlRoutes::handle(http::Request request, http::Reply reply)
{
    const auto language = http::language_of(request, services_.language);
    if (request.path() == "/control/status") {
        if (request.method != "GET")
            return reply(refuse({Errc::method_refused, "no such method here"}, language));
        return reply(status(services_));
    }
    if (request.path() == "/control/tokens") {
        if (request.method != "POST")
            return reply(refuse({Errc::method_refused, "no such method here"}, language));
        return make_token(services_, request, std::move(reply));
    }
    if (request.path() == "/control/sessions") {
        if (request.method != "GET")
            return reply(refuse({Errc::method_refused, "no such method here"}, language));
        return reply(list_sessions(services_, language));
    }
    if (request.path() == "/control/sessions/end") {
        if (request.method != "POST")
            return reply(refuse({Errc::method_refused, "no such method here"}, language));
        return reply(end_sessions(services_, request, language));
    }
    if (answer_pin(services_, request, language, reply))
        return;
    if (auto answer = answer_consents(services_, request, language))
        return reply(std::move(*answer));
    if (request.path() == "/control/reload") {
        if (request.method != "POST")
            return reply(refuse({Errc::method_refused, "no such method here"}, language));
        return reply(read_again(services_, language));
    }
    if (request.path() == "/control/tickets") {
        if (request.method != "POST")
            return reply(refuse({Errc::method_refused, "no such method here"}, language));
        return reply(ticket(services_));
    }
    reply(refuse({Errc::not_found, "no such path"}, language));
}

} // namespace cps::agent
