#include "agent_call.hpp"

#include "cps/http/client.hpp"
#include "cps/token/json.hpp"

#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstdlib>

namespace cps::ctl {
namespace {

constexpr std::chrono::seconds patience{130};   // above the time that a person has
constexpr std::size_t max_answer = 1024 * 1024; // octets

std::string text(const boost::json::object& object, std::string_view key)
{
    const auto* const value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : "";
}

/// What a refusal says of the tries that are left, where it does.
std::string tries_text(const boost::json::object& problem)
{
    const auto* const tries = problem.if_contains("tries_left");
    if (tries == nullptr || !tries->is_int64())
        return "";
    return (person_reads_french() ? " Essais restants : " : " Tries left: ") +
           std::to_string(tries->get_int64()) + '.';
}

} // namespace

bool person_reads_french()
{
    for (const auto* const name : {"LC_ALL", "LC_MESSAGES", "LANG"})
        if (const char* const value = std::getenv(name); value != nullptr && *value != 0)
            return std::string_view{value}.starts_with("fr");
    return false;
}

std::string default_socket()
{
    const char* const base = std::getenv("XDG_RUNTIME_DIR");
    if (base == nullptr || *base == 0)
        throw AgentAbsent{
            "no_agent: XDG_RUNTIME_DIR is not set; name the socket with --socket"};
    return std::string{base} + "/cps-agent/control.sock";
}

boost::json::object call_agent(const std::string& socket, std::string_view method,
                               std::string_view path, const boost::json::object* body)
{
    http::Request request;
    request.method = method;
    request.target = path;
    request.fields.emplace_back("Accept-Language", locale_language());
    if (body != nullptr) {
        request.fields.emplace_back("Content-Type", "application/json");
        request.body = boost::json::serialize(*body);
    }
    const auto response = http::call_local(socket, request, patience);
    if (!response) {
        if (response.error().code() == Errc::no_service)
            throw AgentAbsent{"no_agent: nobody answers at " + socket};
        throw response.error();
    }
    auto answer = token::parse_json(response->body, max_answer);
    if (!answer || !answer->is_object())
        throw Error{Errc::malformed_input, "the agent's answer is not JSON"};
    auto& object = answer->get_object();
    if (response->status != 200)
        throw AgentRefused{text(object, "code"), text(object, "detail") + tries_text(object)};
    return std::move(object);
}

} // namespace cps::ctl
