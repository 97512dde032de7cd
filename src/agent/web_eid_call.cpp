#include "web_eid_call.hpp"

#include "token_call.hpp"

#include "cps/base/clock.hpp"
#include "cps/crypto/random.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/json.hpp"

#include <array>

namespace cps::agent {
namespace {

constexpr std::size_t max_body = 1024; // octets: a nonce has at most 128

Result<TokenRequest> read_call(const Caller& caller, const http::Request& request)
{
    if (caller.portal == nullptr || !caller.portal->web_eid)
        return Error{Errc::feature_unknown, "a portal that is not registered for Web eID"};
    constexpr std::array<std::string_view, 1> members{"nonce"};
    const auto body = token::parse_json(request.body, max_body);
    if (!body || !body->is_object() || !token::has_exactly(body->get_object(), members))
        return Error{Errc::bad_request, "the body is not {\"nonce\":…}"};
    const auto nonce = token::WebEidNonce::parse(
        token::string_member(body->get_object(), "nonce").value_or(""));
    if (!nonce)
        return Error{Errc::challenge_invalid, "a nonce that is not a Web eID one"};

    // Web eID has no challenge with features and a time: one of ours says "login" and "now".
    token::Challenge challenge{
        token::Nonce::from_bytes(crypto::random_bytes(token::Nonce::octets)),
        SystemClock{}.now(),
        {token::Feature::login()},
        token::max_login_lifetime};
    return TokenRequest{caller.origin,
                        caller.portal,
                        std::move(challenge),
                        {},
                        std::chrono::steady_clock::now(),
                        {},
                        request.gone,
                        {},
                        *nonce};
}

} // namespace

void make_web_eid_token(const Services& services, const Caller& caller,
                        const http::Request& request, http::Reply reply)
{
    auto language = std::string{http::language_of(request, services.language)};
    auto call = read_call(caller, request);
    if (!call)
        return reply(refuse(call.error(), language));
    call->language = services.language;
    services.desk.submit(std::move(*call), [language = std::move(language),
                                            reply = std::move(reply)](Outcome outcome) {
        if (!outcome.token)
            return reply(refuse(outcome.token.error(), language, outcome.tries_left));
        http::Response response;
        response.content_type = "application/json";
        response.body = *outcome.token;
        reply(std::move(response));
    });
}

} // namespace cps::agent
