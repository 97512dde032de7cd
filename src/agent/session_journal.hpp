#pragma once

#include "journal.hpp"
#include "session_events.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace cps::agent {

/// Writes the end of each session to the journal, with the sums of its feature tokens before
/// it. Sessions tells under its lock, where nobody may wait for a disk: a thread of its own
/// writes. Its destructor writes what is left.
class SessionJournal final : public SessionEvents {
public:
    static constexpr std::size_t max_waiting = 256; // ends; sessions are 32 at most

    explicit SessionJournal(Journal& journal);
    ~SessionJournal() override;
    SessionJournal(const SessionJournal&) = delete;
    SessionJournal& operator=(const SessionJournal&) = delete;

    void session_ended(const SessionNews& news, SessionEnd reason) override;

private:
    void run();
    Journal& journal_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<JournalEntry> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace cps::agent
