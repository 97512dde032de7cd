#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace cps::http {

/// The body of an answer that goes on for as long as the client listens. The answer and then
/// its connection own it; who writes keeps a weak_ptr, which expires when the client goes. A
/// client that does not take what is written is let go: nobody ever waits for one. Thread-safe.
class Stream {
public:
    /// Octets written and not yet on their way; beyond, the connection is closed.
    static constexpr std::size_t max_waiting = 16 * 1024;

    /// What is sent when nothing else was for so long.
    struct Beat {
        std::string octets;
        std::chrono::seconds every;
    };
    explicit Stream(Beat beat) : beat_{std::move(beat)} {}

    /// Sent after all that was written before. Nothing is taken after `end`.
    void write(std::string_view octets);
    /// What was written is sent, then the connection closes.
    void end();

private:
    friend class Connection;
    struct Waiting {
        std::string octets;
        bool ended = false;
    };
    /// `wake` is called, on any thread, when there is something to take; at once if there is.
    void attach(std::function<void()> wake);
    Waiting take();
    bool too_far_behind() const;
    void wake();

    const Beat beat_;
    mutable std::mutex mutex_;
    std::function<void()> wake_; ///< empty before `attach`
    std::string waiting_;
    bool ended_ = false;
    bool too_far_behind_ = false;
    bool woken_ = false; ///< since the last `take`
};

} // namespace cps::http
