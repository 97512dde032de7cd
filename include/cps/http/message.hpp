#pragma once

#include "cps/base/error.hpp"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cps::http {

class Stream;

using Field = std::pair<std::string, std::string>;

/// One HTTP/1.1 request, whole, within the limits of the server that read it.
struct Request {
    std::string method; ///< as sent
    std::string target; ///< origin-form, as sent: path and query
    std::vector<Field> fields;
    std::string body;
    bool local = false; ///< came over a Unix socket
    /// Whose the client's socket was when the connection was accepted, as the kernel says.
    /// Nothing in doubt, and on connections to `listen_tcp`, where nobody looks.
    std::optional<uid_t> peer_user;
    /// Stopped, on the server's thread, when the client ends before it is answered: a dialog
    /// on its behalf may go. A client that only shut its own side (it still gets its answer)
    /// looks the same.
    std::stop_token gone;

    /// The one field of that name, any case. Empty where it is missing *or sent twice*, so
    /// that nobody smuggles a second Host or Origin past a check.
    std::optional<std::string_view> field(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    /// Target up to `?`, and after it.
    std::string_view path() const;
    std::string_view query() const;
};

struct Response {
    unsigned status = 200;
    std::string content_type; ///< none: no body
    std::vector<Field> fields;
    std::string body;
    /// Present: the body goes on with what is written to it, until the connection closes.
    std::shared_ptr<Stream> stream{};
};

/// Answers one request, once, on any thread, even after the server is gone; what comes after
/// the first call does nothing. If the last copy goes uncalled, the client gets 500 internal.
using Reply = std::function<void(Response)>;

/// `application/problem+json` (RFC 9457) for an error; `language` chooses the detail's words.
/// `too_large` is 431 for a head, told by `status` where given.
Response problem(Errc code, std::string_view language, std::optional<int> tries_left = {},
                 unsigned status = 0);

/// "fr" or "en" from an Accept-Language field (RFC 9110, 12.5.4); `fallback` where neither.
std::string_view language_of(const Request& request, std::string_view fallback);

} // namespace cps::http
