#pragma once

#include "cps/base/clock.hpp"
#include "cps/token/values.hpp"
#include "cps/verify/refusal.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace cps::verify {

template <class T>
using Verdict = boost::system::result<T, Refusal>;

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
    /// Refuses with `limit_reached` above max_live_nonces for a session; store_unavailable.
    virtual Verdict<void> remember(const token::Nonce& nonce, NonceRecord record) = 0;
    /// Get and delete, atomically; a second burn of the same nonce is nonce_unknown. Says
    /// nothing of age: the verifier does. store_unavailable when it cannot know.
    virtual Verdict<NonceRecord> burn(const token::Nonce& nonce) = 0;
};

inline constexpr std::chrono::seconds nonce_lifetime{120};
inline constexpr std::size_t max_live_nonces = 8; // for one portal session

/// For one process. Bounded: nonces older than nonce_lifetime go at the next call.
class MemoryStore final : public Store {
public:
    static constexpr std::size_t max_nonces = 100'000; // in all: about 30 MB
    explicit MemoryStore(const Clock& clock) noexcept : clock_{clock} {}
    Verdict<void> remember(const token::Nonce& nonce, NonceRecord record) override;
    Verdict<NonceRecord> burn(const token::Nonce& nonce) override;

private:
    void drop_old();
    const Clock& clock_;
    std::mutex mutex_;
    std::map<token::Nonce, NonceRecord> nonces_;
};

} // namespace cps::verify
