#pragma once

#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"
#include "cps/token/values.hpp"
#include "cps/verify/refusal.hpp"
#include "cps/verify/session.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cps::verify {

template <class T>
using Verdict = boost::system::result<T, Refusal>;

/// `value()` of a verdict that nobody looked at.
[[noreturn]] inline void throw_exception_from_error(const Refusal&,
                                                    const boost::source_location&)
{
    throw Error{Errc::internal, "a refusal was taken for an acceptance"};
}

/// What the portal wrote down when it handed a nonce out.
struct NonceRecord {
    std::string session; ///< the portal's own session identifier
    std::vector<token::Feature> features;
    EpochSeconds issued;
};

/// Where a portal keeps what it alone may believe. Two implementations: memory and, later,
/// Redis. Thread-safe.
class Store {
public:
    virtual ~Store() = default;
    /// Refuses with `limit_reached` above max_live_nonces for a session, `replayed` for a nonce
    /// that is there already, `store_unavailable` when it cannot keep it.
    virtual Verdict<void> remember(const token::Nonce& nonce, NonceRecord record) = 0;
    /// Get and delete, atomically; a second burn of the same nonce is nonce_unknown. Says
    /// nothing of age: the verifier does. store_unavailable when it cannot know.
    virtual Verdict<NonceRecord> burn(const token::Nonce& nonce) = 0;

    /// Keeps a new session. Refuses with `replayed` where its key has one already,
    /// `limit_reached` above max_live_sessions for a portal session, `store_unavailable`.
    virtual Verdict<void> open(SessionRecord record) = 0;
    /// As it is at this moment. session_unknown, store_unavailable.
    virtual Verdict<std::shared_ptr<const SessionRecord>> find(std::string_view kid) = 0;
    /// Puts a renewed token in force, if `previous` still is: `cth`, `features`, `limit` and
    /// `ends` are taken over; what was used runs on. session_unknown, cth_mismatch.
    virtual Verdict<void> renew(const SessionRecord& renewed, std::string_view previous) = 0;
    /// Atomically: the token in force is `cth`, `jti` is new, `seq` is within the window and
    /// the session's limit, the account within its quota; then all is marked, and what is left
    /// of the limit returned. Errors, in this order: session_unknown, cth_mismatch, replayed,
    /// sequence_refused, limit_reached, quota_exceeded, and nothing is marked.
    virtual Verdict<unsigned> use(const Use& use) = 0;
    /// Forgets a session; one that is not there is no error.
    virtual Verdict<void> end(std::string_view kid) = 0;
    /// Counts one request of a card token. quota_exceeded.
    virtual Verdict<void> charge(std::string_view account, const Quota& quota) = 0;
};

inline constexpr std::chrono::seconds nonce_lifetime{120};
inline constexpr std::size_t max_live_nonces = 8;   // for one portal session
inline constexpr std::size_t max_live_sessions = 4; // of cards, for one portal session

/// For one process. Bounded: what is too old to be good goes as something new comes.
class MemoryStore final : public Store {
public:
    static constexpr std::size_t max_nonces = 100'000;   // in all: about 50 MB
    static constexpr std::size_t max_sessions = 50'000;  // in all: about 100 MB
    static constexpr std::size_t max_accounts = 500'000; // with a quota, in one day
    explicit MemoryStore(const Clock& clock);
    ~MemoryStore() override;
    Verdict<void> remember(const token::Nonce& nonce, NonceRecord record) override;
    Verdict<NonceRecord> burn(const token::Nonce& nonce) override;
    Verdict<void> open(SessionRecord record) override;
    Verdict<std::shared_ptr<const SessionRecord>> find(std::string_view kid) override;
    Verdict<void> renew(const SessionRecord& renewed, std::string_view previous) override;
    Verdict<unsigned> use(const Use& use) override;
    Verdict<void> end(std::string_view kid) override;
    Verdict<void> charge(std::string_view account, const Quota& quota) override;

private:
    class Sessions;
    class Counters;
    using Nonces = std::map<token::Nonce, NonceRecord>;
    void drop_old();
    NonceRecord take(Nonces::iterator found);

    const Clock& clock_;
    std::mutex mutex_; // guards all below
    Nonces nonces_;
    std::set<std::pair<EpochSeconds, token::Nonce>> by_age_;
    std::map<std::string, std::size_t> live_; // nonces of each session
    std::unique_ptr<Sessions> sessions_;
    std::unique_ptr<Counters> counters_;
};

} // namespace cps::verify
