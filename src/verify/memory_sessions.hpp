#pragma once

#include "cps/verify/store.hpp"
#include "sequence_window.hpp"
#include "text_hash.hpp"

#include <deque>
#include <functional>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace cps::verify {

/// The sessions of a MemoryStore, which holds the lock.
class MemoryStore::Sessions {
public:
    Verdict<void> open(SessionRecord record, EpochSeconds now);
    Verdict<std::shared_ptr<const SessionRecord>> find(std::string_view kid) const;
    Verdict<void> renew(const SessionRecord& renewed, std::string_view previous);
    /// `charge` is called when all else is well.
    Verdict<unsigned> use(const Use& use, EpochSeconds now,
                          const std::function<Verdict<void>()>& charge);
    void end(std::string_view kid);

private:
    struct Session {
        std::shared_ptr<const SessionRecord> record; ///< shared with who verifies just now
        SequenceWindow window;
        std::unordered_set<std::string> seen;                    ///< `jti`
        std::deque<std::pair<EpochSeconds, std::string>> expiry; ///< of each, as they came
    };
    using ByKid = std::unordered_map<std::string, Session, TextHash, std::equal_to<>>;

    void drop_old(EpochSeconds now);
    void drop(ByKid::iterator found);
    static EpochSeconds gone_at(const SessionRecord& record) noexcept;

    ByKid by_kid_;
    std::set<std::pair<EpochSeconds, std::string>> by_end_;
    std::map<std::string, std::size_t> live_; // of each portal session
};

} // namespace cps::verify
