#pragma once

#include "session_events.hpp"
#include "tickets.hpp"

#include "cps/base/error.hpp"
#include "cps/http/stream.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace cps::agent {

/// Tells open status pages that something changed; what, they ask. After one word a page hears
/// no other until it has asked, so that it is never told faster than it reads. Thread-safe;
/// waits for no client.
class PageStreams final : public SessionEvents {
public:
    static constexpr std::size_t max_open = Tickets::max_keys; // one a page

    /// The stream of the page with that key, in place of the one it had. Errors: overloaded.
    Result<std::shared_ptr<http::Stream>> open(std::string_view key);
    /// The page is about to be told all: what changes from now on is news again.
    void reading(std::string_view key);
    /// Calls nobody: any lock may be held.
    void changed() noexcept;

    void session_opened(const SessionNews&) override { changed(); }
    void session_used(const SessionNews&) override { changed(); }
    void session_renewed(const SessionNews&) override { changed(); }
    void session_ended(const SessionNews&, SessionEnd) override { changed(); }

private:
    struct Page {
        std::weak_ptr<http::Stream> stream; ///< its connection's
        bool told = false;                  ///< and has not asked since
    };
    std::mutex mutex_;
    std::map<std::string, Page, std::less<>> open_; ///< by key
};

} // namespace cps::agent
