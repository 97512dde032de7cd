#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace cps::verify {

/// The last `most` values that were of use, by key. Thread-safe; values are copied out, so they
/// are cheap to copy.
template <class Key, class Value, class Hash = std::hash<Key>>
class BoundedCache {
public:
    explicit BoundedCache(std::size_t most) : most_{most} {}

    std::optional<Value> find(const Key& key)
    {
        const std::scoped_lock lock{mutex_};
        const auto found = places_.find(key);
        if (found == places_.end())
            return std::nullopt;
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->second;
    }
    void keep(const Key& key, Value value)
    {
        const std::scoped_lock lock{mutex_};
        if (const auto found = places_.find(key); found != places_.end()) {
            found->second->second = std::move(value);
            return entries_.splice(entries_.begin(), entries_, found->second);
        }
        entries_.emplace_front(key, std::move(value));
        places_.emplace(key, entries_.begin());
        if (places_.size() > most_) {
            places_.erase(entries_.back().first);
            entries_.pop_back();
        }
    }
    void clear()
    {
        const std::scoped_lock lock{mutex_};
        places_.clear();
        entries_.clear();
    }

private:
    using Entries = std::list<std::pair<Key, Value>>; // the latest used first
    const std::size_t most_;
    std::mutex mutex_; // guards both below
    Entries entries_;
    std::unordered_map<Key, typename Entries::iterator, Hash> places_;
};

} // namespace cps::verify
