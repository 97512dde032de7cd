#include "portal_file.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/digest.hpp"

#include <algorithm>

namespace cps::ctl {
namespace {

constexpr std::size_t max_file_name = 200; // octets; file systems take 255
constexpr std::size_t digest_octets = 8;   // of the hash that ends a longer name

/// A TOML basic string. What could need another escape was refused when it was read.
std::string toml_text(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + '"';
}

std::string words(const agent::Words& words)
{
    auto out = "{ fr = " + toml_text(words.fr);
    if (!words.en.empty())
        out += ", en = " + toml_text(words.en);
    return out + " }";
}

} // namespace

std::string to_toml(const agent::Portal& portal)
{
    auto out = "origin = " + toml_text(portal.origin.str()) + "\nname = " + words(portal.name) +
               "\nredirect_uris = [";
    for (const auto& uri : portal.redirect_uris)
        out += (out.ends_with('[') ? "" : ", ") + toml_text(uri);
    out += "]\n";
    if (!portal.revoke_uri.empty())
        out += "revoke_uri = " + toml_text(portal.revoke_uri) + '\n';
    out += std::string{"web_eid = "} + (portal.web_eid ? "true" : "false") + '\n';
    for (const auto& [id, feature] : portal.features) {
        const bool session = feature.mode == agent::FeatureMode::session;
        out += "[[feature]]\nid = " + toml_text(id.str()) +
               "\nlabel = " + words(feature.label) +
               "\nmode = " + toml_text(session ? "session" : "card") + '\n';
        if (session)
            out += "limit = " + std::to_string(feature.limit) + '\n';
    }
    return out;
}

std::string file_name_of(const token::Origin& origin)
{
    auto name = origin.str().substr(origin.str().find("//") + 2);
    std::ranges::replace(name, ':', '-');
    std::ranges::replace(name, '[', '_');
    std::ranges::replace(name, ']', '_');
    if (!origin.is_https())
        name = "http-" + name;
    if (name.size() > max_file_name) {
        const auto hash = crypto::sha256(octets(origin.str()));
        name = name.substr(0, max_file_name - 2 * digest_octets - 1) + '-' +
               to_hex(ByteView{hash}.first(digest_octets));
    }
    return name + ".toml";
}

} // namespace cps::ctl
