#pragma once

#include "cps/http/message.hpp"
#include "cps/token/values.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cps::portal {

/// The portal's one cookie. Over https its name carries the `__Host-` prefix (RFC 6265bis,
/// 4.1.3.2), so that no subdomain and no plain page can set it; a loopback page in development
/// cannot have that.
class SessionCookie {
public:
    explicit SessionCookie(const token::Origin& origin);

    /// The value that a request carries; empty where there is none, or more than one.
    std::optional<std::string> of(const http::Request& request) const;
    http::Field set(std::string_view value) const;
    http::Field clear() const;

private:
    std::string name_;
    std::string attributes_;
};

} // namespace cps::portal
