#include "page_state.hpp"

#include "consent_routes.hpp"
#include "routes.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace cps::agent {
namespace json = boost::json;

json::object page_state(const Services& services)
{
    const auto snapshot = services.presence.snapshot();
    const auto holders = services.cards.holders(services.desk);
    json::array readers;
    for (const auto& reader : snapshot.readers) {
        json::object shown{{"name", reader.name}, {"card", status_of({true, {reader}}).card}};
        const auto holder = std::ranges::find_if(
            holders, [&](const CardHolder& one) { return is_reader(one.reader, reader.name); });
        if (holder != holders.end()) {
            shown["holder"] = holder->name;
            shown["not_after"] = to_number(holder->not_after);
        }
        readers.push_back(std::move(shown));
    }
    json::array sessions;
    for (const auto& one : services.sessions.list())
        sessions.push_back(
            json::object{{"id", one.short_id},
                         {"origin", one.origin.str()},
                         {"features", in_words(services, one.origin, one.features)},
                         {"opened", to_number(one.opened)},
                         {"left", one.left}});
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
            {"sessions", std::move(sessions)},
            {"consents", shown_consents(services)},
            {"portals", std::move(portals)},
            {"journal", std::move(events)}};
}

} // namespace cps::agent
