#include "sessions.hpp"

#include <algorithm>
#include <limits>

namespace cps::agent {
namespace {

using std::chrono::floor;
using std::chrono::seconds;

const Error ended{Errc::session_ended, "no such session of this origin"};

/// What a session for these features may be: the strictest of their limits.
Result<unsigned> limit_of(const Portal& portal, const std::vector<token::Feature>& features)
{
    auto limit = std::numeric_limits<unsigned>::max();
    for (const auto& feature : features) {
        const auto found = portal.features.find(feature);
        if (found == portal.features.end() || found->second.mode != FeatureMode::session)
            return Error{Errc::feature_unknown, "not a feature that sessions may have"};
        limit = std::min(limit, found->second.limit);
    }
    return limit;
}

} // namespace

std::string_view name_of(SessionEnd reason) noexcept
{
    switch (reason) {
    case SessionEnd::card_removed: return "card_removed";
    case SessionEnd::card_refused: return "card_refused";
    case SessionEnd::page: return "page";
    case SessionEnd::person: return "person";
    case SessionEnd::replaced: return "replaced";
    case SessionEnd::idle: return "idle";
    case SessionEnd::too_long: return "too_long";
    case SessionEnd::screen_locked: return "screen_locked";
    case SessionEnd::suspended: return "suspended";
    case SessionEnd::logged_out: return "logged_out";
    case SessionEnd::agent_stopped: return "agent_stopped";
    case SessionEnd::pin_changed: return "pin_changed";
    case SessionEnd::portal_removed: return "portal_removed";
    }
    return "";
}

Sessions::Sessions(const Config& config, const Clock& clock, Revoker& revoker)
    : config_{config}, clock_{clock}, revoker_{revoker}
{
}

Sessions::~Sessions() = default;

void Sessions::add_observer(SessionEvents& events)
{
    const std::scoped_lock lock{mutex_};
    observers_.push_back(&events);
}

template <class Tell>
void Sessions::tell(Tell each) const
{
    for (auto* const observer : observers_)
        each(*observer);
}

/// The session of that name if it is `origin`'s, open, and not over.
Sessions::Map::iterator Sessions::find(const token::Origin& origin, std::string_view id)
{
    const auto found = sessions_.find(id);
    if (found == sessions_.end() || found->second.origin() != origin || !found->second.card())
        return sessions_.end();
    if (const auto reason = over(found->second, clock_.steady())) {
        finish(found, *reason);
        wipe_unused_pins();
        return sessions_.end();
    }
    return found;
}

std::optional<SessionEnd> Sessions::over(const Session& session, Session::Time now) const
{
    if (now - session.opened() >= config_.session_max)
        return SessionEnd::too_long;
    if (now - session.last_used() >= config_.session_idle)
        return SessionEnd::idle;
    return std::nullopt;
}

Sessions::Map::iterator Sessions::finish(Map::iterator session, SessionEnd reason)
{
    const auto& [id, one] = *session;
    if (one.card()) {
        if (!one.revoke_uri().empty())
            for (const auto& token : one.revocations(clock_.steady()))
                revoker_.revoke(one.revoke_uri(), token);
        tell([&, news = SessionNews{id, one.origin(), one.left()}](SessionEvents& observer) {
            observer.session_ended(news, reason);
        });
    }
    return sessions_.erase(session);
}

void Sessions::finish_all(SessionEnd reason)
{
    pins_.wipe();
    for (auto session = sessions_.begin(); session != sessions_.end();)
        session = finish(session, reason);
}

/// A PIN goes with the last session of its card.
void Sessions::wipe_unused_pins()
{
    pins_.wipe_unless([this](const CardInReader& card) {
        return std::ranges::any_of(sessions_,
                                   [&](const auto& one) { return one.second.card() == card; });
    });
}

/// The origin's oldest give way, so that a page that lost their names does not lock itself out.
void Sessions::make_room(const token::Origin& origin)
{
    const auto is_of = [&](const auto& one) { return one.second.origin() == origin; };
    while (static_cast<std::size_t>(std::ranges::count_if(sessions_, is_of)) > max_of_origin) {
        auto oldest = sessions_.end();
        for (auto one = sessions_.begin(); one != sessions_.end(); ++one)
            if (is_of(*one) && one->second.card() &&
                (oldest == sessions_.end() || one->second.opened() < oldest->second.opened()))
                oldest = one;
        if (oldest == sessions_.end())
            return;
        finish(oldest, SessionEnd::replaced);
    }
}

Result<SessionAsk> Sessions::draft(const Portal& portal,
                                   const std::vector<token::Feature>& features)
{
    const auto limit = limit_of(portal, features);
    if (!limit)
        return limit.error();
    const std::scoped_lock lock{mutex_};
    if (sessions_.size() >= max_in_all)
        return Error{Errc::overloaded, "too many sessions"};
    auto id = random_name();
    const auto [made, is_new] = sessions_.emplace(
        id, Session{portal.origin, portal.revoke_uri, features, *limit, clock_.steady()});
    return SessionAsk{std::move(id), made->second.claims()};
}

void Sessions::abandon(const std::string& id)
{
    const std::scoped_lock lock{mutex_};
    if (const auto found = sessions_.find(id);
        found != sessions_.end() && !found->second.card())
        sessions_.erase(found);
}

Result<Sessions::Opened> Sessions::open(const std::string& id, std::string_view session_token,
                                        SessionGrant grant)
{
    const std::scoped_lock lock{mutex_};
    const auto found = sessions_.find(id);
    if (found == sessions_.end())
        return ended;
    auto& session = found->second;
    if (!grant.card.is_in(cards_)) {
        sessions_.erase(found);
        return Error{Errc::card_removed, "the card went while the session was opened"};
    }
    session.take(session_token, grant, session.features());
    if (grant.pin)
        pins_.keep(grant.card, std::move(*grant.pin));
    tell([&, news = SessionNews{id, session.origin(), session.left()}](
             SessionEvents& observer) { observer.session_opened(news); });
    Opened opened{id, session.expires_in(clock_.steady()), session.limit()};
    make_room(session.origin());
    return opened;
}

Result<SessionAsk> Sessions::ask_renewal(const token::Origin& origin, std::string_view id,
                                         const std::vector<token::Feature>& features)
{
    const std::scoped_lock lock{mutex_};
    const auto found = find(origin, id);
    if (found == sessions_.end())
        return ended;
    auto& session = found->second;
    if (session.left() == 0)
        return Error{Errc::limit_reached, "nothing is left to renew for"};
    const auto& agreed = session.features();
    const auto was_agreed_to = [&](const token::Feature& feature) {
        return std::ranges::find(agreed, feature) != agreed.end();
    };
    if (!std::ranges::all_of(features, was_agreed_to))
        return Error{Errc::feature_unknown, "more than the person agreed to"};
    if (session.renewing)
        return Error{Errc::busy, "a renewal is under way"};
    session.renewing = true;
    return SessionAsk{found->first, session.claims(), session.renewal_base(),
                      pins_.holds(*session.card())};
}

Result<Sessions::Opened> Sessions::renew(const std::string& id, std::string_view session_token,
                                         SessionGrant grant,
                                         std::vector<token::Feature> features)
{
    const std::scoped_lock lock{mutex_};
    const auto found = sessions_.find(id);
    if (found == sessions_.end())
        return ended;
    auto& session = found->second;
    session.renewing = false;
    if (session.left() == 0)
        return Error{Errc::limit_reached, "the last feature token was made meanwhile"};
    session.take(session_token, grant, std::move(features));
    if (grant.pin)
        pins_.keep(grant.card, std::move(*grant.pin));
    tell([&, news = SessionNews{id, session.origin(), session.left()}](
             SessionEvents& observer) { observer.session_renewed(news); });
    return Opened{id, session.expires_in(clock_.steady()), session.limit()};
}

void Sessions::renewal_failed(const std::string& id, bool card_refused)
{
    const std::scoped_lock lock{mutex_};
    if (card_refused)
        return finish_all(SessionEnd::card_refused);
    if (const auto found = sessions_.find(id); found != sessions_.end())
        found->second.renewing = false;
}

Result<FeatureToken> Sessions::feature_token(const token::Origin& origin, std::string_view id,
                                             const FeatureCall& call)
{
    const std::scoped_lock lock{mutex_};
    const auto found = find(origin, id);
    if (found == sessions_.end())
        return ended;
    auto made = found->second.feature_token(call, clock_.steady());
    if (made)
        tell([&, news = SessionNews{found->first, origin, made->left}](
                 SessionEvents& observer) { observer.session_used(news); });
    return made;
}

bool Sessions::keeps_pin() const
{
    const std::scoped_lock lock{mutex_};
    return !pins_.empty();
}

std::optional<Pin> Sessions::lend_pin(const CardInReader& card)
{
    const std::scoped_lock lock{mutex_};
    return pins_.lend(card);
}

void Sessions::give_back_pin(const CardInReader& card, Pin pin)
{
    const std::scoped_lock lock{mutex_};
    pins_.give_back(card, std::move(pin));
}

Result<void> Sessions::end(const token::Origin& origin, std::string_view id)
{
    const std::scoped_lock lock{mutex_};
    const auto found = find(origin, id);
    if (found == sessions_.end())
        return ended;
    finish(found, SessionEnd::page);
    wipe_unused_pins();
    return {};
}

bool Sessions::end_one(std::string_view short_id, SessionEnd reason)
{
    const std::scoped_lock lock{mutex_};
    if (short_id.size() != short_id_size)
        return false;
    const auto found = sessions_.lower_bound(short_id);
    if (found == sessions_.end() || !found->first.starts_with(short_id) ||
        !found->second.card())
        return false;
    finish(found, reason);
    wipe_unused_pins();
    return true;
}

std::size_t Sessions::end_all(SessionEnd reason)
{
    const std::scoped_lock lock{mutex_};
    const auto open = std::ranges::count_if(
        sessions_, [](const auto& one) { return one.second.card().has_value(); });
    finish_all(reason);
    return static_cast<std::size_t>(open);
}

void Sessions::end_strangers(const Portals& registered)
{
    const std::scoped_lock lock{mutex_};
    for (auto session = sessions_.begin(); session != sessions_.end();)
        session = registered.find(session->second.origin()) == nullptr
                      ? finish(session, SessionEnd::portal_removed)
                      : std::next(session);
    wipe_unused_pins();
}

void Sessions::cards_are(const pcsc::Snapshot& now)
{
    const std::scoped_lock lock{mutex_};
    cards_ = now;
    for (auto session = sessions_.begin(); session != sessions_.end();) {
        const auto& card = session->second.card();
        session = card && !card->is_in(now) ? finish(session, SessionEnd::card_removed)
                                            : std::next(session);
    }
    wipe_unused_pins();
}

std::optional<Session::Time> Sessions::sweep()
{
    const std::scoped_lock lock{mutex_};
    const auto now = clock_.steady();
    std::optional<Session::Time> next;
    for (auto session = sessions_.begin(); session != sessions_.end();) {
        const auto& one = session->second;
        if (!one.card()) { // a draft ends with its dialog
            ++session;
            continue;
        }
        if (const auto reason = over(one, now)) {
            session = finish(session, *reason);
            continue;
        }
        const auto end = std::min(one.opened() + config_.session_max,
                                  one.last_used() + config_.session_idle);
        next = next ? std::min(*next, end) : end;
        ++session;
    }
    wipe_unused_pins();
    return next;
}

std::vector<SessionView> Sessions::list() const
{
    const std::scoped_lock lock{mutex_};
    const auto now = clock_.steady();
    std::vector<SessionView> views;
    for (const auto& [id, session] : sessions_) {
        if (!session.card())
            continue;
        const auto open_for = floor<seconds>(now - session.opened());
        views.push_back({id.substr(0, short_id_size), session.origin(), session.features(),
                         session.limit(), session.left(), clock_.now() - open_for, open_for,
                         floor<seconds>(now - session.last_used())});
    }
    return views;
}

} // namespace cps::agent
