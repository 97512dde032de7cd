#include "recording.hpp"

#include <algorithm>
#include <array>

namespace cps::agent {
namespace {

/// Whether an outcome says that a dialog was open: those come no faster than a person.
bool was_asked(Errc code)
{
    constexpr std::array asked{Errc::consent_refused, Errc::pin_cancelled, Errc::pin_timeout,
                               Errc::pin_wrong,       Errc::pin_blocked,   Errc::screen_locked,
                               Errc::card_removed,    Errc::cancelled};
    return std::ranges::find(asked, code) != asked.end();
}

Event event_of(const TokenRequest& request)
{
    if (!request.session)
        return Event::token;
    return request.session->renewal ? Event::renew : Event::session;
}

} // namespace

Outcome recorded(Journal& journal, const TokenRequest& request, Outcome outcome)
{
    const auto& origin = request.origin.str();
    const auto code =
        outcome.token ? Errc::internal : outcome.token.error().code(); // used for errors alone
    if (!outcome.token && !was_asked(code)) {
        journal.refused(origin, stable_code(code));
        return outcome;
    }
    JournalEntry entry{event_of(request), origin, {}, "done", 1};
    for (const auto& feature : request.challenge.features)
        entry.features.push_back(feature.str());
    if (!outcome.token)
        entry.outcome = code == Errc::cancelled ? "cancelled" : stable_code(code);
    const auto written = journal.write(entry);
    if (!written && outcome.token)
        outcome.token = written.error();
    return outcome;
}

void record_refusal(Journal& journal, const http::Request& request, Errc code) noexcept
{
    const auto origin = token::Origin::parse(request.field("Origin").value_or(""));
    journal.refused(origin ? std::string_view{origin->str()} : "", stable_code(code));
}

} // namespace cps::agent
