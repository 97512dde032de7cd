#include "session_routes.hpp"

#include "token_call.hpp"

#include "cps/token/json.hpp"

#include <algorithm>
#include <array>

namespace cps::agent {
namespace json = boost::json;
namespace {

constexpr std::string_view before_id = "/v1/sessions/";

std::string_view id_of(const http::Request& request)
{
    const auto rest = request.path().substr(before_id.size());
    return rest.substr(0, rest.find('/'));
}

std::string language_for(const Services& services, const http::Request& request)
{
    return std::string{http::language_of(request, services.language)};
}

Result<json::object> body_of(const http::Request& request)
{
    auto body = token::parse_json(request.body, max_token_body);
    if (!body || !body->is_object())
        return Error{Errc::bad_request, "the body is not a JSON object"};
    return std::move(body->get_object());
}

/// `{"challenge":{…}}` and nothing else.
Result<TokenRequest> read_challenge_call(const http::Request& request, const Caller& caller)
{
    const auto body = body_of(request);
    if (!body)
        return body.error();
    auto call = read_token_call(*body, caller);
    if (call && call->request)
        return Error{Errc::bad_request, "a session is bound to no request"};
    return call;
}

Result<FeatureCall> read_feature_call(const http::Request& request, const Caller& caller)
{
    const auto body = body_of(request);
    if (!body)
        return body.error();
    constexpr std::array<std::string_view, 5> names{"feat", "htm", "htu", "rid", "nonce"};
    const bool with_nonce = body->contains("nonce");
    if (!token::has_exactly(*body, std::span{names}.first(with_nonce ? 5 : 4)))
        return Error{Errc::bad_request, "not the members of this call"};
    const auto text = [&](std::string_view name) {
        return token::string_member(*body, name).value_or(std::string_view{});
    };
    const auto feature = token::Feature::parse(text("feat"));
    const auto binding =
        token::RequestBinding::parse(caller.origin, text("htm"), text("htu"), text("rid"));
    if (!feature || !binding)
        return Error{Errc::bad_request, "htm, htu and rid do not name a request of the origin"};
    FeatureCall call{*feature, *binding};
    if (with_nonce) {
        call.nonce = token::Nonce::parse(text("nonce"));
        if (!call.nonce)
            return Error{Errc::bad_request, "not a nonce"};
    }
    return call;
}

/// The answer to a card-signed session token that was taken.
http::Response answer(const Sessions::Opened& opened, const std::string& token, bool with_id)
{
    json::object body{
        {"token", token}, {"expires_in", opened.expires_in.count()}, {"limit", opened.limit}};
    if (with_id)
        body["session"] = opened.id;
    return json_response(body);
}

} // namespace

void open_session(const Services& services, const Caller& caller, const http::Request& request,
                  http::Reply reply)
{
    auto language = language_for(services, request);
    auto call = read_challenge_call(request, caller);
    if (!call)
        return reply(refuse(call.error(), language));
    auto ask = services.sessions.draft(*caller.portal, call->challenge.features);
    if (!ask)
        return reply(refuse(ask.error(), language));
    call->language = services.language;
    call->gone = request.gone;
    call->session = *ask;
    services.desk.submit(std::move(*call), [&sessions = services.sessions, id = ask->id,
                                            language = std::move(language),
                                            reply = std::move(reply)](Outcome outcome) {
        if (!outcome.token) {
            sessions.abandon(id);
            return reply(refuse(outcome.token.error(), language, outcome.tries_left));
        }
        const auto opened = sessions.open(id, *outcome.token, std::move(*outcome.grant));
        reply(opened ? answer(*opened, *outcome.token, true)
                     : refuse(opened.error(), language));
    });
}

void renew_session(const Services& services, const Caller& caller, const http::Request& request,
                   http::Reply reply)
{
    auto language = language_for(services, request);
    auto call = read_challenge_call(request, caller);
    if (!call)
        return reply(refuse(call.error(), language));
    auto ask =
        services.sessions.ask_renewal(caller.origin, id_of(request), call->challenge.features);
    if (!ask)
        return reply(refuse(ask.error(), language));
    call->language = services.language;
    // A silent renewal is not stopped half-way: nobody would know what the card did.
    if (!ask->silent)
        call->gone = request.gone;
    call->session = *ask;
    auto features = call->challenge.features; // `call` goes away below
    services.desk.submit(std::move(*call), [&sessions = services.sessions, id = ask->id,
                                            features = std::move(features),
                                            language = std::move(language),
                                            reply = std::move(reply)](Outcome outcome) {
        if (!outcome.token) {
            sessions.renewal_failed(id, outcome.card_refused);
            return reply(refuse(outcome.token.error(), language, outcome.tries_left));
        }
        const auto renewed =
            sessions.renew(id, *outcome.token, std::move(*outcome.grant), features);
        reply(renewed ? answer(*renewed, *outcome.token, false)
                      : refuse(renewed.error(), language));
    });
}

void make_feature_token(const Services& services, const Caller& caller,
                        const http::Request& request, http::Reply reply)
{
    const auto call = read_feature_call(request, caller);
    if (!call)
        return reply(refuse(call.error(), language_for(services, request)));
    const auto made = services.sessions.feature_token(caller.origin, id_of(request), *call);
    if (!made)
        return reply(refuse(made.error(), language_for(services, request)));
    services.journal.feature_used(std::string{id_of(request)}, caller.origin.str(),
                                  call->feature.str());
    reply(json_response({{"token", made->token}, {"left", made->left}}));
}

void end_session(const Services& services, const Caller& caller, const http::Request& request,
                 http::Reply reply)
{
    const auto ended = services.sessions.end(caller.origin, id_of(request));
    if (!ended)
        return reply(refuse(ended.error(), language_for(services, request)));
    http::Response response;
    response.status = 204;
    reply(std::move(response));
}

} // namespace cps::agent
