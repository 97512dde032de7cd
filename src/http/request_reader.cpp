#include "request_reader.hpp"

#include "beast_parser.hpp"

#include <algorithm>
#include <utility>

namespace beast = boost::beast;
namespace asio = boost::asio;

namespace cps::http {
namespace {

// A chunk header, or the whole trailer: what Beast wants to see in one piece.
constexpr std::size_t max_chunk_head = 4 * 1024; // octets
// Beast 1.81 fails an assertion, and so ends the process, when it is shown `0\r\n` and then
// only one octet more (2026-11-23). No chunked body ends in less than `0\r\n\r\n`, so nothing
// is lost by waiting for that much.
constexpr std::size_t least_chunked = 5; // octets
// Chunks of one octet cost six; ten leave room for extensions and no more.
constexpr std::size_t chunked_cost = 10; // octets on the wire for one of the body

bool printable(char c)
{
    return c > 0x20 && c < 0x7F;
}

bool digit(char c)
{
    return c >= '0' && c <= '9';
}

} // namespace

struct RequestReader::Parser {
    beast::http::request_parser<beast::http::string_body> beast;
};

RequestReader::RequestReader(std::size_t head_limit, std::size_t body_limit)
    : head_limit_{head_limit},
      body_limit_{body_limit},
      body_room_{body_limit * chunked_cost + max_chunk_head}
{
}

RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;

RequestReader::Step RequestReader::refuse(Errc code, unsigned status)
{
    refusal_ = {code, status != 0 ? status : http_status(code)};
    return Step::refused;
}

RequestReader::Step RequestReader::feed(std::string& inbox)
{
    return parser_ ? feed_body(inbox) : feed_head(inbox);
}

RequestReader::Step RequestReader::feed_head(std::string& inbox)
{
    std::size_t taken = 0;
    for (const char octet : inbox) {
        if (head_.size() == head_limit_)
            return refuse(Errc::too_large, 431);
        head_ += octet;
        ++taken;
        switch (scanner_.step(octet)) {
        case HeadScanner::Verdict::goes_on: break;
        case HeadScanner::Verdict::blank: head_.clear(); break;
        case HeadScanner::Verdict::refused: return refuse(Errc::bad_request);
        case HeadScanner::Verdict::ended: {
            inbox.erase(0, taken);
            const auto step = read_head();
            if (step == Step::complete || step == Step::refused || inbox.empty())
                return step;
            // The body is on its way already: nobody waits for a `100 Continue`.
            return feed_body(inbox);
        }
        }
    }
    inbox.clear();
    return Step::needs_more;
}

RequestReader::Step RequestReader::read_head()
{
    using beast::http::field;
    parser_ = std::make_unique<Parser>();
    auto& parser = parser_->beast;
    parser.header_limit(static_cast<std::uint32_t>(head_limit_ + 1));
    parser.body_limit(body_limit_);

    boost::system::error_code ec;
    parser.put(asio::buffer(head_), ec);
    const auto& message = parser.get();
    request_.method = message.method_string();
    if (ec == beast::http::error::body_limit)
        return refuse(Errc::too_large, 413);
    if (ec || !parser.is_header_done())
        return refuse(Errc::bad_request);

    head_ = {};
    request_.target = message.target();
    for (const auto& each : message)
        request_.fields.emplace_back(each.name_string(), each.value());
    http_1_0_ = message.version() == 10;
    keep_alive_ = message.keep_alive();

    if (!request_.target.starts_with('/') || !std::ranges::all_of(request_.target, printable))
        return refuse(Errc::bad_request);
    // Beast takes `1, 1`.
    if (!std::ranges::all_of(request_.field("Content-Length").value_or(""), digit))
        return refuse(Errc::bad_request);
    // Beast lets `gzip` pass as "no body": another server would see one (RFC 9112, 6.1).
    if (request_.count("Content-Length") > 1 || request_.count("Transfer-Encoding") > 1 ||
        (request_.count("Transfer-Encoding") == 1 &&
         (http_1_0_ || !beast::iequals(message[field::transfer_encoding], "chunked"))))
        return refuse(Errc::bad_request);

    const bool expects = request_.count("Expect") != 0;
    if (expects && !beast::iequals(message[field::expect], "100-continue"))
        return refuse(Errc::bad_request, 417);
    if (parser.is_done())
        return Step::complete;
    parser.eager(true);
    return expects && !http_1_0_ ? Step::wants_body : Step::needs_more;
}

RequestReader::Step RequestReader::feed_body(std::string& inbox)
{
    if (parser_->beast.chunked() && inbox.size() < least_chunked)
        return Step::needs_more;
    boost::system::error_code ec;
    const auto taken = parser_->beast.put(asio::buffer(inbox), ec);
    inbox.erase(0, taken);
    if (ec == beast::http::error::body_limit || taken > body_room_)
        return refuse(Errc::too_large, 413);
    if (ec && ec != beast::http::error::need_more)
        return refuse(Errc::bad_request);
    body_room_ -= taken;
    if (parser_->beast.is_done()) {
        request_.body = std::move(parser_->beast.get().body());
        return Step::complete;
    }
    return inbox.size() > max_chunk_head ? refuse(Errc::bad_request) : Step::needs_more;
}

} // namespace cps::http
