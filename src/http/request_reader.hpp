#pragma once

#include "cps/base/error.hpp"
#include "cps/http/message.hpp"
#include "head_scanner.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace cps::http {

/// Why a request is not one, and the status to say so with.
struct Refusal {
    Errc code = Errc::bad_request;
    unsigned status = 400;
};

/// Reads one request from octets as they come; no sockets, no clock. Strict where RFC 9112
/// leaves a choice: origin-form targets only, one Content-Length or `chunked`, no folding.
/// Fields are those of the head: a chunked body's trailers are dropped, or a client could
/// slip in an Origin after the checks of whoever stands before us.
class RequestReader {
public:
    enum class Step {
        needs_more,
        wants_body, ///< once: the client waits for `100 Continue` (RFC 9110, 10.1.1)
        complete,
        refused,
    };

    /// @param head_limit, body_limit octets.
    RequestReader(std::size_t head_limit, std::size_t body_limit);
    ~RequestReader();
    RequestReader(RequestReader&&) noexcept;
    RequestReader& operator=(RequestReader&&) = delete;

    /// Takes what belongs to this request off the front of `inbox`. Not to be called again
    /// after `complete` or `refused`.
    Step feed(std::string& inbox);

    /// After `refused`.
    Refusal refusal() const noexcept { return refusal_; }
    /// The request, once, after `complete`; after `refused` what is known of it.
    Request& request() noexcept { return request_; }
    /// Whether the client wants the connection kept; known once the head is whole.
    bool keep_alive() const noexcept { return keep_alive_; }
    bool http_1_0() const noexcept { return http_1_0_; }

private:
    struct Parser;

    Step feed_head(std::string& inbox);
    Step read_head();
    Step feed_body(std::string& inbox);
    Step refuse(Errc code, unsigned status = 0);

    std::size_t head_limit_;
    std::size_t body_limit_;
    HeadScanner scanner_;
    std::string head_;
    std::unique_ptr<Parser> parser_;
    std::size_t body_room_; // octets on the wire that the body may still take
    Request request_;
    Refusal refusal_;
    bool keep_alive_ = false;
    bool http_1_0_ = false;
};

} // namespace cps::http
