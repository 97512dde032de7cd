#include "consent_routes.hpp"

#include "token_call.hpp"

#include "cps/token/feature_list.hpp"
#include "cps/token/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cps::agent {
namespace json = boost::json;
namespace {

constexpr std::size_t max_body = 1024; // octets: an origin has at most 255

http::Response list(const Services& services)
{
    json::array list;
    for (const auto& consent : services.consents.all()) {
        const auto* const portal = services.portals.find(consent.origin);
        list.push_back(
            json::object{{"origin", consent.origin.str()},
                         {"features", token::to_json_array(consent.features)},
                         {"given", to_number(consent.given)},
                         {"until", to_number(consent.given + services.consents.life())},
                         // false: the portal's file has changed since
                         {"valid", portal != nullptr &&
                                       services.consents.covers(*portal, consent.features)}});
    }
    return json_response({{"consents", std::move(list)}});
}

/// Writes it down; a consent that is gone stays gone where that fails.
Result<std::size_t> ended(const Services& services, const std::string& origin,
                          Result<std::size_t> count)
{
    if (count && *count != 0)
        (void)services.journal.write({Event::consent_end, origin, {}, "done", *count});
    return count;
}

Result<std::size_t> revoke(const Services& services, const http::Request& request)
{
    const auto body = token::parse_json(request.body, max_body);
    if (body && body->is_object() && body->get_object().size() == 1) {
        const auto& members = body->get_object();
        if (const auto* const all = members.if_contains("all"); all != nullptr && *all == true)
            return ended(services, {}, services.consents.revoke_all());
        if (const auto origin =
                token::Origin::parse(token::string_member(members, "origin").value_or("")))
            return ended(services, origin->str(), services.consents.revoke(*origin));
    }
    return Error{Errc::bad_request, "neither an origin nor all"};
}

} // namespace

json::array in_words(const Services& services, const token::Origin& origin,
                     const std::vector<token::Feature>& features)
{
    const auto* const portal = services.portals.find(origin);
    const auto words_of = [&](const token::Feature& feature) -> json::string {
        if (feature.is_login())
            return services.language == "en" ? "log in" : "s'identifier";
        if (portal != nullptr)
            if (const auto found = portal->features.find(feature);
                found != portal->features.end())
                return json::string{found->second.label.in(services.language)};
        return json::string{feature.str()};
    };
    json::array words;
    for (const auto& feature : features)
        words.push_back(words_of(feature));
    return words;
}

json::array shown_consents(const Services& services)
{
    json::array list;
    for (const auto& consent : services.consents.all()) {
        list.push_back(
            json::object{{"origin", consent.origin.str()},
                         {"features", in_words(services, consent.origin, consent.features)},
                         {"until", to_number(consent.given + services.consents.life())}});
    }
    return list;
}

http::Response revoke_consents(const Services& services, const http::Request& request)
{
    return json_response({{"revoked", revoke(services, request).value()}});
}

std::optional<http::Response> answer_consents(const Services& services,
                                              const http::Request& request,
                                              std::string_view language)
{
    const bool listing = request.path() == "/control/consents";
    if (!listing && request.path() != "/control/consents/revoke")
        return std::nullopt;
    if (request.method != (listing ? "GET" : "POST"))
        return refuse({Errc::method_refused, "no such method here"}, language);
    if (listing)
        return list(services);
    const auto revoked = revoke(services, request);
    if (!revoked)
        return refuse(revoked.error(), language);
    return json_response({{"revoked", *revoked}});
}

} // namespace cps::agent
