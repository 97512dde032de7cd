#pragma once

#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"
#include "cps/token/values.hpp"
#include "cps/verify/refusal.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <map>
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
};

inline constexpr std::chrono::seconds nonce_lifetime{120};
inline constexpr std::size_t max_live_nonces = 8; // for one portal session

/// For one process. Bounded: what is older than nonce_lifetime goes at the next `remember`.
class MemoryStore final : public Store {
public:
    static constexpr std::size_t max_nonces = 100'000; // in all: about 50 MB
    explicit MemoryStore(const Clock& clock) noexcept : clock_{clock} {}
    Verdict<void> remember(const token::Nonce& nonce, NonceRecord record) override;
    Verdict<NonceRecord> burn(const token::Nonce& nonce) override;

private:
    using Nonces = std::map<token::Nonce, NonceRecord>;
    void drop_old();
    NonceRecord take(Nonces::iterator found);

    const Clock& clock_;
    std::mutex mutex_; // guards all below
    Nonces nonces_;
    std::set<std::pair<EpochSeconds, token::Nonce>> by_age_;
    std::map<std::string, std::size_t> live_; // nonces of each session
};

} // namespace cps::verify
