#include "cookie.hpp"

namespace cps::portal {

SessionCookie::SessionCookie(const token::Origin& origin)
    : name_{origin.is_https() ? "__Host-portal" : "cps-portal"},
      attributes_{origin.is_https() ? "; Path=/; HttpOnly; SameSite=Strict; Secure"
                                    : "; Path=/; HttpOnly; SameSite=Strict"}
{
}

std::optional<std::string> SessionCookie::of(const http::Request& request) const
{
    auto rest = request.field("Cookie").value_or(std::string_view{});
    std::optional<std::string> found;
    while (!rest.empty()) {
        const auto end = rest.find(';');
        auto pair = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
        if (pair.size() <= name_.size() || !pair.starts_with(name_) ||
            pair[name_.size()] != '=')
            continue;
        if (found)
            return std::nullopt;
        found = std::string{pair.substr(name_.size() + 1)};
    }
    return found;
}

http::Field SessionCookie::set(std::string_view value) const
{
    return {"Set-Cookie", name_ + "=" + std::string{value} + attributes_};
}

http::Field SessionCookie::clear() const
{
    return {"Set-Cookie", name_ + "=" + attributes_ + "; Max-Age=0"};
}

} // namespace cps::portal
