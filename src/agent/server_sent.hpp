#pragma once

#include "cps/http/message.hpp"
#include "cps/http/stream.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace cps::agent {

/// One event as `text/event-stream` has it (HTML, 9.2.5). Without an `id`: nothing is told
/// again to who connects anew.
std::string server_sent(std::string_view name, const boost::json::object& data);

/// A stream that beats every 20 s: whoever sits between, and the browser, know that it lives.
std::shared_ptr<http::Stream> new_event_stream();

/// The answer that goes on with `stream`.
http::Response event_stream(std::shared_ptr<http::Stream> stream);

} // namespace cps::agent
