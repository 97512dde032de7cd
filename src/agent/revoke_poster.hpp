#pragma once

#include "session_events.hpp"

#include "cps/base/unique_handle.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace cps::agent {

/// Brings revoke tokens to portals, best effort: one at a time, each once, through a
/// cps-agent-poster that has `patience`. Thread-safe. The thread sleeps while nothing is to
/// be told.
class RevokePoster final : public Revoker {
public:
    static constexpr std::size_t capacity = 64;         // waiting; more are dropped
    static constexpr std::chrono::seconds patience{12}; // for one; the program has 10 itself
    static constexpr std::chrono::seconds farewell{3};  // for all that wait when the agent ends

    /// @param program absolute path of cps-agent-poster.
    explicit RevokePoster(std::string program);
    ~RevokePoster() override;
    RevokePoster(const RevokePoster&) = delete;
    RevokePoster& operator=(const RevokePoster&) = delete;

    void revoke(const std::string& uri, const std::string& token) override;
    /// Whether nothing waits and nothing is under way.
    bool idle() const;

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Letter {
        std::string uri;
        std::string token;
    };
    void run();
    void post(const Letter& letter);
    Time deadline();

    const std::string program_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Letter> waiting_;
    bool posting_ = false;
    bool stopping_ = false;
    Time last_word_{}; ///< when stopping: nothing is waited for beyond
    std::thread thread_;
};

} // namespace cps::agent
