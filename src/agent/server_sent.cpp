#include "server_sent.hpp"

#include <boost/json/serialize.hpp>

namespace cps::agent {
namespace {

constexpr std::chrono::seconds heartbeat{20};

} // namespace

std::string server_sent(std::string_view name, const boost::json::object& data)
{
    // Serialized JSON has no line's end in it.
    return "event: " + std::string{name} + "\ndata: " + boost::json::serialize(data) + "\n\n";
}

std::shared_ptr<http::Stream> new_event_stream()
{
    return std::make_shared<http::Stream>(http::Stream::Beat{":\n\n", heartbeat});
}

http::Response event_stream(std::shared_ptr<http::Stream> stream)
{
    http::Response response;
    response.content_type = "text/event-stream";
    response.stream = std::move(stream);
    return response;
}

} // namespace cps::agent
