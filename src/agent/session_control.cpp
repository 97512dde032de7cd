#include "session_control.hpp"

#include "display.hpp"
#include "token_call.hpp"

#include "cps/token/feature_list.hpp"
#include "cps/token/json.hpp"

namespace cps::agent {
namespace json = boost::json;
namespace {

constexpr std::size_t max_body = 1024; // octets: one short name
constexpr std::size_t max_name = 60;   // characters of a portal's name

} // namespace

json::array sessions_json(const Services& services, std::string_view language)
{
    json::array sessions;
    for (const auto& one : services.sessions.list()) {
        const auto* const portal = services.portals.find(one.origin);
        sessions.push_back(json::object{
            {"id", one.short_id},
            {"origin", one.origin.str()},
            {"name", portal != nullptr ? for_display(portal->name.in(language), max_name) : ""},
            {"features", token::to_json_array(one.features)},
            {"opened", to_number(one.opened)},
            {"limit", one.limit},
            {"left", one.left},
            {"open_for", one.open_for.count()},
            {"idle_for", one.idle_for.count()}});
    }
    return sessions;
}

http::Response list_sessions(const Services& services, std::string_view language)
{
    return json_response({{"sessions", sessions_json(services, language)}});
}

http::Response end_sessions(const Services& services, const http::Request& request,
                            std::string_view language)
{
    const auto body = token::parse_json(request.body, max_body);
    if (!body || !body->is_object())
        return refuse({Errc::bad_request, "the body is not a JSON object"}, language);
    const auto& members = body->get_object();
    if (members.empty())
        return json_response({{"ended", services.sessions.end_all(SessionEnd::person)}});
    const auto id = token::string_member(members, "id");
    if (!id || members.size() != 1)
        return refuse({Errc::bad_request, "not the members of this call"}, language);
    if (!services.sessions.end_one(*id, SessionEnd::person))
        return refuse({Errc::session_ended, "no session has this name"}, language);
    return json_response({{"ended", 1}});
}

} // namespace cps::agent
