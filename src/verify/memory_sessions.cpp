#include "memory_sessions.hpp"

#include <algorithm>

namespace cps::verify {
namespace {

constexpr std::chrono::seconds clock_slack{10}; // above the verifier's leeway

} // namespace

/// A session may be renewed until it was idle too long or is too old.
EpochSeconds MemoryStore::Sessions::gone_at(const SessionRecord& record) noexcept
{
    return std::min(record.opened + session_max, record.ends + session_idle);
}

Verdict<void> MemoryStore::Sessions::open(SessionRecord record, EpochSeconds now)
{
    drop_old(now);
    if (by_kid_.contains(record.kid))
        return Refusal::replayed;
    if (by_kid_.size() >= max_sessions)
        return Refusal::store_unavailable;
    auto& live = live_[record.portal_session];
    if (live >= max_live_sessions)
        return Refusal::limit_reached;
    ++live;
    by_end_.emplace(gone_at(record), record.kid);
    auto kid = record.kid;
    by_kid_.emplace(
        std::move(kid),
        Session{std::make_shared<const SessionRecord>(std::move(record)), {}, {}, {}});
    return {};
}

Verdict<std::shared_ptr<const SessionRecord>>
MemoryStore::Sessions::find(std::string_view kid) const
{
    const auto found = by_kid_.find(kid);
    if (found == by_kid_.end())
        return Refusal::session_unknown;
    return found->second.record;
}

Verdict<void> MemoryStore::Sessions::renew(const SessionRecord& renewed,
                                           std::string_view previous)
{
    const auto found = by_kid_.find(renewed.kid);
    if (found == by_kid_.end())
        return Refusal::session_unknown;
    auto& record = found->second.record;
    if (record->cth != previous)
        return Refusal::cth_mismatch;
    SessionRecord next = *record;
    next.cth = renewed.cth;
    next.features = renewed.features;
    next.limit = renewed.limit;
    next.ends = renewed.ends;
    by_end_.erase({gone_at(*record), record->kid});
    by_end_.emplace(gone_at(next), next.kid);
    record = std::make_shared<const SessionRecord>(std::move(next));
    return {};
}

Verdict<unsigned> MemoryStore::Sessions::use(const Use& use, EpochSeconds now,
                                             const std::function<Verdict<void>()>& charge)
{
    const auto found = by_kid_.find(use.kid);
    if (found == by_kid_.end())
        return Refusal::session_unknown;
    auto& session = found->second;
    if (session.record->cth != use.cth)
        return Refusal::cth_mismatch;
    while (!session.expiry.empty() && session.expiry.front().first + clock_slack < now) {
        session.seen.erase(session.expiry.front().second);
        session.expiry.pop_front();
    }
    if (session.seen.contains(std::string{use.jti}))
        return Refusal::replayed;
    if (!session.window.admits(use.seq))
        return Refusal::sequence_refused;
    if (use.seq > session.record->limit)
        return Refusal::limit_reached;
    if (const auto charged = charge(); !charged)
        return charged.error();

    session.window.note(use.seq);
    session.seen.emplace(use.jti);
    session.expiry.emplace_back(use.expires_at, use.jti);
    if (session.record->used != now) {
        SessionRecord next = *session.record;
        next.used = now;
        session.record = std::make_shared<const SessionRecord>(std::move(next));
    }
    return session.record->limit - static_cast<unsigned>(session.window.highest());
}

void MemoryStore::Sessions::end(std::string_view kid)
{
    if (const auto found = by_kid_.find(kid); found != by_kid_.end())
        drop(found);
}

void MemoryStore::Sessions::drop_old(EpochSeconds now)
{
    while (!by_end_.empty() && by_end_.begin()->first < now)
        drop(by_kid_.find(by_end_.begin()->second));
}

void MemoryStore::Sessions::drop(ByKid::iterator found)
{
    const auto& record = *found->second.record;
    by_end_.erase({gone_at(record), record.kid});
    const auto live = live_.find(record.portal_session);
    if (--live->second == 0)
        live_.erase(live);
    by_kid_.erase(found);
}

} // namespace cps::verify
