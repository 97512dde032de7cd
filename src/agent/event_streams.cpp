#include "event_streams.hpp"

#include "server_sent.hpp"

#include "cps/base/log.hpp"

#include <algorithm>

namespace cps::agent {
namespace {

// ms until a browser connects anew; an agent that restarts is back by then.
constexpr std::string_view retry = "retry: 5000\n\n";

} // namespace

boost::json::object to_json(const CardStatus& status)
{
    return {{"readers", status.readers}, {"cards", status.cards}, {"card", status.card}};
}

Result<std::shared_ptr<http::Stream>> EventStreams::open(const token::Origin& origin)
{
    const std::scoped_lock lock{mutex_};
    std::erase_if(open_, [](const Open& one) { return one.stream.expired(); });
    const auto of_origin =
        static_cast<std::size_t>(std::ranges::count(open_, origin, &Open::origin));
    if (open_.size() >= max_in_all || of_origin >= max_of_origin)
        return Error{Errc::overloaded, "too many event streams"};
    auto stream = new_event_stream();
    stream->write(std::string{retry} + server_sent("card", to_json(card_)));
    open_.push_back({origin, stream});
    return stream;
}

void EventStreams::cards_are(const CardStatus& now) noexcept
try {
    const std::scoped_lock lock{mutex_};
    if (now == card_)
        return;
    card_ = now;
    const auto event = server_sent("card", to_json(card_));
    for (const auto& one : open_)
        if (const auto stream = one.stream.lock())
            stream->write(event);
} catch (const std::exception&) {
    log::error("the card's change could not be told to pages");
}

void EventStreams::session_ended(const SessionNews& news, SessionEnd reason)
try {
    const std::scoped_lock lock{mutex_};
    const auto event = server_sent(
        "session", {{"session", news.id}, {"end", name_of(reason)}, {"left", news.left}});
    for (const auto& one : open_)
        if (const auto stream = one.origin == news.origin ? one.stream.lock() : nullptr)
            stream->write(event);
} catch (const std::exception&) {
    log::error("the end of a session could not be told to its page");
}

void EventStreams::end_strangers(const Portals& registered)
{
    const std::scoped_lock lock{mutex_};
    std::erase_if(open_, [&](const Open& one) {
        if (registered.find(one.origin) != nullptr)
            return false;
        if (const auto stream = one.stream.lock())
            stream->end();
        return true;
    });
}

} // namespace cps::agent
