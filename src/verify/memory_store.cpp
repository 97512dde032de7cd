#include "cps/verify/store.hpp"

#include "memory_counters.hpp"
#include "memory_sessions.hpp"

namespace cps::verify {

MemoryStore::MemoryStore(const Clock& clock)
    : clock_{clock},
      sessions_{std::make_unique<Sessions>()},
      counters_{std::make_unique<Counters>()}
{
}

MemoryStore::~MemoryStore() = default;

Verdict<void> MemoryStore::remember(const token::Nonce& nonce, NonceRecord record)
{
    const std::scoped_lock lock{mutex_};
    drop_old();
    if (nonces_.contains(nonce))
        return Refusal::replayed;
    if (nonces_.size() >= max_nonces)
        return Refusal::store_unavailable;
    auto& live = live_[record.session];
    if (live >= max_live_nonces)
        return Refusal::limit_reached;

    ++live;
    by_age_.emplace(record.issued, nonce);
    nonces_.emplace(nonce, std::move(record));
    return {};
}

Verdict<NonceRecord> MemoryStore::burn(const token::Nonce& nonce)
{
    const std::scoped_lock lock{mutex_};
    const auto found = nonces_.find(nonce);
    if (found == nonces_.end())
        return Refusal::nonce_unknown;
    return take(found);
}

Verdict<void> MemoryStore::open(SessionRecord record)
{
    const std::scoped_lock lock{mutex_};
    return sessions_->open(std::move(record), clock_.now());
}

Verdict<std::shared_ptr<const SessionRecord>> MemoryStore::find(std::string_view kid)
{
    const std::scoped_lock lock{mutex_};
    return sessions_->find(kid);
}

Verdict<void> MemoryStore::renew(const SessionRecord& renewed, std::string_view previous)
{
    const std::scoped_lock lock{mutex_};
    return sessions_->renew(renewed, previous);
}

Verdict<unsigned> MemoryStore::use(const Use& use)
{
    const auto now = clock_.now();
    const std::scoped_lock lock{mutex_};
    return sessions_->use(use, now,
                          [&] { return counters_->charge(use.account, use.quota, now); });
}

Verdict<void> MemoryStore::end(std::string_view kid)
{
    const std::scoped_lock lock{mutex_};
    sessions_->end(kid);
    return {};
}

Verdict<void> MemoryStore::charge(std::string_view account, const Quota& quota)
{
    const std::scoped_lock lock{mutex_};
    return counters_->charge(account, quota, clock_.now());
}

void MemoryStore::drop_old()
{
    const auto oldest = clock_.now() - nonce_lifetime;
    while (!by_age_.empty() && by_age_.begin()->first < oldest)
        take(nonces_.find(by_age_.begin()->second));
}

NonceRecord MemoryStore::take(Nonces::iterator found)
{
    auto record = std::move(found->second);
    by_age_.erase({record.issued, found->first});
    const auto live = live_.find(record.session);
    if (--live->second == 0)
        live_.erase(live);
    nonces_.erase(found);
    return record;
}

} // namespace cps::verify
