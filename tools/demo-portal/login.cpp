#include "answers.hpp"
#include "portal.hpp"

#include "cps/base/secret.hpp"
#include "cps/token/json.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/object.hpp>

namespace cps::portal {
namespace {

constexpr std::size_t max_login_body = 2048;  // octets of JSON
constexpr std::size_t max_login_size = 128;   // octets of a user name
constexpr std::size_t max_logins_at_once = 8; // each costs scrypt's 32 MiB and some 80 ms

struct Credentials {
    std::string login;
    std::string password;
};

std::optional<Credentials> read_credentials(std::string_view body)
{
    const auto parsed = token::parse_json(body, max_login_body);
    if (!parsed || !parsed->is_object())
        return std::nullopt;
    const auto& object = parsed->as_object();
    const auto* login = object.if_contains("login");
    const auto* password = object.if_contains("password");
    if (object.size() != 2 || login == nullptr || password == nullptr || !login->is_string() ||
        !password->is_string() || login->as_string().size() > max_login_size ||
        password->as_string().size() > max_password_size)
        return std::nullopt;
    return Credentials{std::string{login->as_string()}, std::string{password->as_string()}};
}

} // namespace

/// Answers later: scrypt runs beside the server's thread. Whether the account exists changes
/// neither the answer nor the time it takes.
void Portal::log_in(const http::Request& request, const http::Reply& reply)
{
    const auto language = http::language_of(request, "fr");
    auto given = read_credentials(request.body);
    if (!given)
        return send(reply, problem(Problem::bad_request, language));
    if (const auto wait = login_limit_.wait(given->login)) {
        auto response = problem(Problem::rate_limited, language);
        response.fields.emplace_back("Retry-After", std::to_string(wait->count()));
        audit("login", {}, "rate_limited");
        return send(reply, std::move(response));
    }
    if (logins_under_way_ == max_logins_at_once)
        return send(reply, problem(Problem::overloaded, language));

    ++logins_under_way_;
    login_limit_.failed(given->login); // until it turns out right: many at once count as well
    auto check = [this, reply, language, hash = accounts_.hash_for(given->login),
                  given = std::move(*given),
                  old_cookie = cookie_.of(request).value_or(std::string{})]() mutable {
        const auto right = hash.matches(given.password);
        wipe(std::span<char>{given.password});
        boost::asio::post(io_, [this, reply, language, right, login = given.login, old_cookie] {
            finish_login(login, right, language, old_cookie, reply);
        });
    };
    boost::asio::post(hashing_, std::move(check));
}

void Portal::finish_login(const std::string& login, bool right, std::string_view language,
                          const std::string& old_cookie, const http::Reply& reply)
{
    --logins_under_way_;
    const auto* account = accounts_.find(login);
    if (!right || account == nullptr) {
        audit("login", account == nullptr ? "" : account->login, "login_refused");
        return send(reply, problem(Problem::login_refused, language));
    }
    login_limit_.succeeded(login);
    sessions_.close(old_cookie); // whatever was known before is worth nothing now
    auto response = json(200, {{"login", account->login}, {"name", account->name}});
    response.fields.push_back(cookie_.set(sessions_.open(account->login)));
    audit("login", account->login, "accepted");
    send(reply, std::move(response));
}

http::Response Portal::show_me(const Call& call)
{
    const auto* account =
        call.session == nullptr ? nullptr : accounts_.find(call.session->account);
    if (account == nullptr)
        return problem(Problem::login_required, call.language);
    return json(200, {{"login", account->login},
                      {"name", account->name},
                      {"card_seen", call.session->card_seen}});
}

http::Response Portal::log_out(const Call& call)
{
    sessions_.close(call.cookie);
    http::Response response;
    response.status = 204;
    response.fields.push_back(cookie_.clear());
    return response;
}

} // namespace cps::portal
