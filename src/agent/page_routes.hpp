#pragma once

#include "admission.hpp"

#include "cps/http/message.hpp"

#include <cstdint>
#include <string_view>

namespace cps::agent {

struct Services;

/// The person's status page, at `GET /` and `/page/…` (docs/http-api.md): its files to any
/// navigation of this user, its facts to the page that holds a ticket's key.
class PageRoutes {
public:
    static bool owns(std::string_view path) noexcept
    {
        return path == "/" || path.starts_with("/page/");
    }
    /// One request that `owns` said yes to. `admission` lets in or refuses.
    static void handle(const Services& services, const Admission& admission,
                       const http::Request& request, http::Reply reply);
};

} // namespace cps::agent
