#include "pin_routes.hpp"

#include "token_call.hpp"

#include "cps/token/json.hpp"

#include <chrono>

namespace cps::agent {
namespace {

constexpr std::size_t max_body = 64; // octets: {}

} // namespace

bool answer_pin(const Services& services, const http::Request& request,
                std::string_view language, http::Reply& reply)
{
    const bool changes = request.path() == "/control/pin/change";
    if (!changes && request.path() != "/control/pin/unblock")
        return false;
    const auto body = token::parse_json(request.body, max_body);
    if (request.method != "POST") {
        reply(refuse({Errc::method_refused, "no such method here"}, language));
    } else if (!body || !body->is_object() || !body->get_object().empty()) {
        reply(refuse({Errc::bad_request, "the call has no members"}, language));
    } else {
        PinTask task{changes ? PinTask::Kind::change : PinTask::Kind::unblock,
                     std::chrono::steady_clock::now(), std::string{services.language},
                     request.gone};
        services.desk.submit(
            std::move(task), [language = std::string{language},
                              reply = std::move(reply)](const PinTaskOutcome& outcome) {
                if (!outcome.done)
                    return reply(refuse(outcome.done.error(), language, outcome.tries_left));
                reply(json_response({{"done", true}}));
            });
    }
    return true;
}

} // namespace cps::agent
