#include "page_streams.hpp"

#include "server_sent.hpp"

#include "cps/base/log.hpp"

namespace cps::agent {

Result<std::shared_ptr<http::Stream>> PageStreams::open(std::string_view key)
{
    const std::scoped_lock lock{mutex_};
    std::erase_if(open_, [](const auto& one) { return one.second.stream.expired(); });
    if (const auto before = open_.find(key); before != open_.end()) {
        if (const auto stream = before->second.stream.lock())
            stream->end();
        open_.erase(before);
    }
    if (open_.size() >= max_open)
        return Error{Errc::overloaded, "too many status pages"};
    auto stream = new_event_stream();
    open_.emplace(key, Page{stream});
    return stream;
}

void PageStreams::reading(std::string_view key)
{
    const std::scoped_lock lock{mutex_};
    if (const auto page = open_.find(key); page != open_.end())
        page->second.told = false;
}

void PageStreams::changed() noexcept
try {
    const std::scoped_lock lock{mutex_};
    for (auto& [key, page] : open_) {
        if (page.told)
            continue;
        page.told = true;
        if (const auto stream = page.stream.lock())
            stream->write(server_sent("changed", {}));
    }
} catch (const std::exception&) {
    log::error("a change could not be told to the status page");
}

} // namespace cps::agent
