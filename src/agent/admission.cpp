#include "admission.hpp"

#include "site_words.hpp"

#include <array>
#include <string>

namespace cps::agent {
namespace {

bool is_json(std::string_view content_type)
{
    const auto media_type = content_type.substr(0, content_type.find(';'));
    constexpr std::string_view json = "application/json";
    const auto trimmed = media_type.substr(0, media_type.find_last_not_of(" \t") + 1);
    if (trimmed.size() != json.size())
        return false;
    for (std::size_t i = 0; i != json.size(); ++i) {
        const char c = trimmed[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != json[i])
            return false;
    }
    return true;
}

} // namespace

bool Admission::is_our_host(std::string_view host) const
{
    const auto port = ":" + std::to_string(port_);
    constexpr std::array<std::string_view, 3> names{"127.0.0.1", "localhost", "[::1]"};
    for (const auto name : names)
        if (host.starts_with(name) && host.substr(name.size()) == port)
            return true;
    return false;
}

Result<Caller> Admission::admit_origin(const token::Origin& origin, const Config& config,
                                       const Portals& portals)
{
    if (const auto* const portal = portals.find(origin))
        return Caller{origin, portal};
    if (config.unknown_origins == UnknownOrigins::deny || !origin.is_https())
        return Error{Errc::origin_refused, "an origin that is not registered"};
    return Caller{origin, nullptr, resembles_registered(origin, portals)};
}

Result<void> Admission::admit_peer(const http::Request& request) const
{
    if (!request.peer_user)
        return Error{Errc::wrong_user, "a peer whose user is not known"};
    if (*request.peer_user != user_)
        return Error{Errc::wrong_user, "a peer of another user"};

    // The only thing that stops DNS rebinding: a rebound same-origin GET carries neither
    // Origin nor Sec-Fetch-*.
    const auto host = request.field("Host");
    if (!host || !is_our_host(*host))
        return Error{Errc::host_refused, "a foreign Host"};
    return {};
}

Result<Caller> Admission::admit(const http::Request& request) const
{
    if (const auto peer = admit_peer(request); !peer)
        return peer.error();

    const Error refused{Errc::origin_refused, "an origin that is not registered"};
    const auto text = request.field("Origin");
    const auto origin = text ? token::Origin::parse(*text) : std::nullopt;
    if (!origin || (!origin->is_https() && !config_->allow_http_loopback))
        return refused;

    if (request.count("Sec-Fetch-Mode") != 0 && request.field("Sec-Fetch-Mode") != "cors")
        return refused;
    if (request.count("Service-Worker") != 0)
        return refused;

    return admit_origin(*origin, *config_, *portals_);
}

Result<void> Admission::admit_page(const http::Request& request, PagePart part) const
{
    if (const auto peer = admit_peer(request); !peer)
        return peer.error();

    const auto is = [&](std::string_view name, std::string_view value) {
        return request.count(name) == 0 || request.field(name) == value;
    };
    const auto own = "http://" + std::string{*request.field("Host")};
    bool admitted = request.count("Service-Worker") == 0;
    switch (part) {
    case PagePart::page:
        admitted = admitted && request.count("Origin") == 0 &&
                   is("Sec-Fetch-Mode", "navigate") && is("Sec-Fetch-Dest", "document");
        break;
    case PagePart::file:
        admitted = admitted && is("Origin", own) && is("Sec-Fetch-Site", "same-origin");
        break;
    case PagePart::call:
        admitted = admitted && is("Origin", own) &&
                   request.field("Sec-Fetch-Site") == "same-origin" &&
                   request.field("CPS-Agent") == "1";
        break;
    }
    if (!admitted)
        return Error{Errc::origin_refused, "not the status page itself"};
    return {};
}

Result<void> Admission::admit_change(const http::Request& request)
{
    const auto content_type = request.field("Content-Type");
    if (!content_type || !is_json(*content_type))
        return Error{Errc::media_type_refused, "a body that is not application/json"};
    if (request.field("CPS-Agent") != "1")
        return Error{Errc::origin_refused, "no CPS-Agent header"};
    return {};
}

} // namespace cps::agent
