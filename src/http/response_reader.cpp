#include "response_reader.hpp"

#include "beast_parser.hpp"
#include "text.hpp"

#include <utility>

namespace http = boost::beast::http;
namespace asio = boost::asio;

namespace cps::http {
namespace {

// A server that says more `100 Continue` than this means no answer.
constexpr int max_interim = 4;

Response converted(::http::response<::http::string_body>& message)
{
    Response response;
    response.status = message.result_int();
    for (const auto& each : message) {
        if (same_word(each.name_string(), "Content-Type"))
            response.content_type = each.value();
        else
            response.fields.emplace_back(each.name_string(), each.value());
    }
    response.body = std::move(message.body());
    return response;
}

} // namespace

Result<std::optional<Response>> read_response(std::string_view octets, bool ended,
                                              bool head_only)
{
    for (int i = 0; i <= max_interim; ++i) {
        ::http::response_parser<::http::string_body> parser;
        parser.body_limit(boost::none); // the caller bounds all of it
        parser.header_limit(64 * 1024);
        parser.eager(true);
        parser.skip(head_only);
        boost::system::error_code ec;
        const auto taken = parser.put(asio::buffer(octets), ec);
        octets.remove_prefix(taken);
        const bool partial = ec == ::http::error::need_more || (!ec && !parser.is_done());
        if (partial && !ended)
            return std::optional<Response>{};
        if (partial && ended && parser.got_some())
            parser.put_eof(ec);
        if (ec || !parser.is_done())
            return Error{Errc::malformed_input, "the answer is not HTTP"};
        if (parser.get().result_int() >= 200)
            return std::optional{converted(parser.get())};
    }
    return Error{Errc::malformed_input, "the server says nothing but 1xx"};
}

} // namespace cps::http
