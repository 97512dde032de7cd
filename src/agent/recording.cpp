#include "recording.hpp"

#include "cps/base/log.hpp"

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

void record(Journal& journal, const PinTask& task, const PinTaskOutcome& outcome) noexcept
try {
    if (!outcome.asked)
        return; // nothing was done, and only the person's own tools ask
    const auto event =
        task.kind == PinTask::Kind::change ? Event::pin_change : Event::pin_unblock;
    JournalEntry entry{event, {}, {}, "done", 1};
    if (!outcome.done) {
        const auto code = outcome.done.error().code();
        entry.outcome = code == Errc::cancelled ? "cancelled" : stable_code(code);
    }
    (void)journal.write(entry); // the card has done it: nothing can be withheld
} catch (const std::exception&) {
    log::error("a change of the card's code could not be written to the journal");
}

void record_refusal(Journal& journal, const http::Request& request, Errc code) noexcept
{
    const auto origin = token::Origin::parse(request.field("Origin").value_or(""));
    journal.refused(origin ? std::string_view{origin->str()} : "", stable_code(code));
}

} // namespace cps::agent
