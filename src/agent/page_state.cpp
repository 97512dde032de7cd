#include "page_state.hpp"

#include "consent_routes.hpp"
#include "routes.hpp"
#include "session_control.hpp"

#include <boost/json/array.hpp>

namespace cps::agent {
namespace json = boost::json;

json::object page_state(const Services& services)
{
    const auto snapshot = services.presence.snapshot();
    json::array readers;
    for (const auto& reader : snapshot.readers)
        readers.push_back(json::object{{"name", reader.name}});
    json::array problems;
    for (const auto& problem : services.problems)
        problems.emplace_back(problem.str());
    json::array portals;
    for (const auto& [origin, portal] : services.portals.all()) {
        json::array features;
        for (const auto& [id, feature] : portal.features)
            features.emplace_back(feature.label.in(services.language));
        portals.push_back(json::object{{"origin", origin.str()},
                                       {"name", portal.name.in(services.language)},
                                       {"features", std::move(features)}});
    }
    json::array events; // newest first, as a page is read
    const auto recent = services.journal.recent();
    for (auto line = recent.rbegin(); line != recent.rend(); ++line)
        events.push_back(json::object{{"time", to_number(line->time)},
                                      {"what", words_of(line->entry.event, services.language)},
                                      {"origin", line->entry.origin},
                                      {"outcome", line->entry.outcome}});
    return {{"language", services.language},
            {"version", CPS_VERSION},
            {"port", services.port},
            {"service", snapshot.service},
            {"card", services.presence.status().card},
            {"readers", std::move(readers)},
            {"problems", std::move(problems)},
            {"sessions", sessions_json(services, services.language)},
            {"consents", shown_consents(services)},
            {"portals", std::move(portals)},
            {"journal", std::move(events)}};
}

} // namespace cps::agent
