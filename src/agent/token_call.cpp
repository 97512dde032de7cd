#include "token_call.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace cps::agent {
namespace json = boost::json;
namespace {

std::optional<std::string_view> text(const json::object& body, std::string_view key)
{
    const auto* const value = body.if_contains(key);
    if (value == nullptr || !value->is_string())
        return std::nullopt;
    return std::string_view{value->get_string()};
}

} // namespace

Result<TokenRequest> read_token_call(const json::object& body, const Caller& caller)
{
    constexpr std::array<std::string_view, 4> members{"challenge", "htm", "htu", "rid"};
    for (const auto& member : body)
        if (std::ranges::find(members, std::string_view{member.key()}) == members.end())
            return Error{Errc::bad_request, "a member that the call does not have"};
    const auto* const given = body.if_contains("challenge");
    if (given == nullptr || !given->is_object())
        return Error{Errc::challenge_invalid, "no challenge"};
    auto challenge = token::Challenge::parse(json::serialize(*given));
    if (!challenge)
        return challenge.error();

    std::optional<token::RequestBinding> binding;
    if (body.size() != 1) {
        const auto htm = text(body, "htm");
        const auto htu = text(body, "htu");
        const auto rid = text(body, "rid");
        if (htm && htu && rid)
            binding = token::RequestBinding::parse(caller.origin, *htm, *htu, *rid);
        if (!binding)
            return Error{Errc::bad_request,
                         "htm, htu and rid do not name a request of the origin"};
    }
    return TokenRequest{caller.origin,
                        caller.portal,
                        std::move(*challenge),
                        std::move(binding),
                        std::chrono::steady_clock::now(),
                        {},
                        {},
                        caller.resembles,
                        {}};
}

void answer_token_call(const Services& services, TokenRequest request, std::string language,
                       http::Reply reply)
{
    request.language = services.language;
    services.desk.submit(std::move(request), [language = std::move(language),
                                              reply = std::move(reply)](Outcome outcome) {
        if (!outcome.token)
            return reply(refuse(outcome.token.error(), language, outcome.tries_left));
        reply(json_response({{"token", *outcome.token}}));
    });
}

http::Response json_response(const json::object& body)
{
    http::Response response;
    response.content_type = "application/json";
    response.body = json::serialize(body);
    return response;
}

http::Response refuse(const Error& error, std::string_view language,
                      std::optional<int> tries_left)
{
    constexpr std::array about_pin{Errc::pin_cancelled, Errc::pin_timeout, Errc::pin_wrong,
                                   Errc::pin_blocked,   Errc::puk_wrong,   Errc::puk_blocked};
    const bool tells = std::ranges::find(about_pin, error.code()) != about_pin.end();
    return http::problem(error.code(), language, tells ? tries_left : std::nullopt);
}

} // namespace cps::agent
