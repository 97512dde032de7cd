#include "cps/verify/store.hpp"

namespace cps::verify {

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
