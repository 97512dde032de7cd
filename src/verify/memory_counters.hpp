#pragma once

#include "cps/verify/store.hpp"

#include <string>
#include <unordered_map>

namespace cps::verify {

/// What each account asked for in this hour and this day; its MemoryStore holds the lock.
class MemoryStore::Counters {
public:
    /// Counts one, unless that is one too many.
    Verdict<void> charge(std::string_view account, const Quota& quota, EpochSeconds now)
    {
        using std::chrono::days;
        using std::chrono::floor;
        using std::chrono::hours;
        if (quota.per_hour == 0 && quota.per_day == 0)
            return {};
        const auto day = floor<days>(now);
        const auto hour = floor<hours>(now);
        if (day != day_) {
            counts_.clear(); // the day's counters are all over at once
            day_ = day;
        }
        const auto found = counts_.find(std::string{account});
        if (found == counts_.end() && counts_.size() >= max_accounts)
            return Refusal::store_unavailable;
        auto& count = found == counts_.end() ? counts_[std::string{account}] : found->second;
        if (count.hour != hour)
            count = {hour, 0, count.in_day};
        if ((quota.per_hour != 0 && count.in_hour >= quota.per_hour) ||
            (quota.per_day != 0 && count.in_day >= quota.per_day))
            return Refusal::quota_exceeded;
        ++count.in_hour;
        ++count.in_day;
        return {};
    }

private:
    struct Count {
        std::chrono::sys_time<std::chrono::hours> hour;
        unsigned in_hour = 0;
        unsigned in_day = 0;
    };
    std::chrono::sys_days day_;
    std::unordered_map<std::string, Count> counts_;
};

} // namespace cps::verify
