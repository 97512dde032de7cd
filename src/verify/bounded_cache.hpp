#pragma once

#include "text_hash.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace cps::verify {

/// The last `most` values that were of use, by key. Thread-safe; values are copied out, so they
/// are cheap to copy. Nothing that was worked out before a `clear` comes in after it: whoever
/// keeps something names the age in which the work began.
template <class Key, class Value, class Hash = TextHash>
class BoundedCache {
public:
    explicit BoundedCache(std::size_t most) : most_{most} {}

    /// @param key anything that compares and hashes as a Key.
    std::optional<Value> find(const auto& key)
    {
        const std::scoped_lock lock{mutex_};
        const auto found = places_.find(key);
        if (found == places_.end())
            return std::nullopt;
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->second;
    }
    void keep(const Key& key, Value value, std::uint64_t begun)
    {
        const std::scoped_lock lock{mutex_};
        if (begun != age_)
            return;
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
    /// @param age the one that begins; ages only grow.
    void clear(std::uint64_t age)
    {
        const std::scoped_lock lock{mutex_};
        places_.clear();
        entries_.clear();
        age_ = std::max(age_, age);
    }

private:
    using Entries = std::list<std::pair<Key, Value>>; // the latest used first
    const std::size_t most_;
    std::mutex mutex_; // guards all below
    std::uint64_t age_ = 0;
    Entries entries_;
    std::unordered_map<Key, typename Entries::iterator, Hash, std::equal_to<>> places_;
};

} // namespace cps::verify
