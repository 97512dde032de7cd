#include "portal_document.hpp"

#include "display.hpp"

#include "cps/token/json.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace cps::ctl {
namespace json = boost::json;
namespace {

constexpr int document_version = 1;
constexpr std::size_t max_redirect_uris = 16; // pages that a redirect may come back to
constexpr std::size_t max_address = 1024;     // octets

using Names = std::span<const std::string_view>;

/// Inside this file a fault is thrown; read_portal_document returns it.
[[noreturn]] void refuse(Literal what)
{
    throw Error{Errc::malformed_input, what};
}

bool has_only(const json::object& object, Names names)
{
    return std::ranges::all_of(object, [&](const auto& member) {
        return std::ranges::find(names, std::string_view{member.key()}) != names.end();
    });
}

/// @param longest in characters; in octets half more.
std::string words_in(const json::object& object, std::string_view language, bool required,
                     std::size_t longest)
{
    if (!required && object.if_contains(language) == nullptr)
        return {};
    const auto text = token::string_member(object, language);
    if (!text || text->empty())
        refuse("a name or label is missing or empty");
    if (agent::for_display(*text, longest) != *text)
        refuse("a name or label is too long or holds a character that could deceive");
    return std::string{*text};
}

agent::Words read_words(const json::object& parent, std::string_view key, std::size_t longest)
{
    constexpr std::array<std::string_view, 2> members{"fr", "en"};
    const auto* const value = parent.if_contains(key);
    if (value == nullptr || !value->is_object() || !has_only(value->get_object(), members))
        refuse("a name or label is not {\"fr\",\"en\"?}");
    return {words_in(value->get_object(), "fr", true, longest),
            words_in(value->get_object(), "en", false, longest)};
}

void read_feature(agent::Portal& portal, const json::value& value)
{
    constexpr std::array<std::string_view, 4> of_session{"id", "label", "mode", "limit"};
    constexpr std::array<std::string_view, 3> of_card{"id", "label", "mode"};
    if (!value.is_object())
        refuse("a feature is no object");
    const auto& object = value.get_object();
    const auto mode = token::string_member(object, "mode");
    if (mode != "session" && mode != "card")
        refuse("a feature's mode is neither \"session\" nor \"card\"");
    const bool session = mode == "session";
    if (session ? !token::has_exactly(object, of_session)
                : !token::has_exactly(object, of_card))
        refuse("a feature has other members than id, label, mode and, for a session, limit");
    const auto id = token::Feature::parse(token::string_member(object, "id").value_or(""));
    if (!id || id->is_login())
        refuse("a feature's id is not [a-z0-9._-]{1,64}, or is \"login\"");

    agent::PortalFeature feature;
    feature.label = read_words(object, "label", agent::Portals::max_label);
    feature.mode = session ? agent::FeatureMode::session : agent::FeatureMode::card;
    if (session) {
        const auto limit = token::integer_member(object, "limit");
        if (!limit || *limit < 1 || *limit > agent::Portals::max_limit)
            refuse("a feature's limit is not 1 to 10000");
        feature.limit = static_cast<unsigned>(*limit);
    }
    if (!portal.features.emplace(*id, std::move(feature)).second)
        refuse("a feature is declared twice");
}

std::string read_address(const std::optional<std::string_view>& text,
                         const token::Origin& origin)
{
    if (!text || text->size() > max_address || !agent::lies_under(*text, origin))
        refuse("redirect_uris or revoke_uri do not lie under the origin");
    return std::string{*text};
}

agent::Portal read(const json::object& object)
{
    constexpr std::array<std::string_view, 7> members{
        "v", "origin", "name", "features", "redirect_uris", "revoke_uri", "web_eid"};
    if (!has_only(object, members))
        refuse("a member that the document does not have");
    if (token::integer_member(object, "v") != document_version)
        refuse("v is not 1");
    const auto origin =
        token::Origin::parse(token::string_member(object, "origin").value_or(""));
    if (!origin)
        refuse("origin is not https://host[:port]");
    agent::Portal portal{
        *origin, read_words(object, "name", agent::Portals::max_name), {}, {}, false, {}};

    const auto* const features = token::array_member(object, "features");
    if (features == nullptr || features->size() > agent::Portals::max_features)
        refuse("features is not a list of at most 64");
    for (const auto& feature : *features)
        read_feature(portal, feature);

    if (object.if_contains("redirect_uris") != nullptr) {
        const auto* const uris = token::array_member(object, "redirect_uris");
        if (uris == nullptr || uris->size() > max_redirect_uris)
            refuse("redirect_uris is not a list of at most 16");
        for (const auto& uri : *uris)
            portal.redirect_uris.push_back(
                read_address(uri.is_string() ? std::optional{std::string_view{uri.get_string()}}
                                             : std::nullopt,
                             *origin));
    }
    if (object.if_contains("revoke_uri") != nullptr)
        portal.revoke_uri = read_address(token::string_member(object, "revoke_uri"), *origin);
    if (const auto* const web_eid = object.if_contains("web_eid")) {
        if (!web_eid->is_bool())
            refuse("web_eid is neither true nor false");
        portal.web_eid = web_eid->get_bool();
    }
    return portal;
}

} // namespace

Result<agent::Portal> read_portal_document(std::string_view text)
try {
    const auto parsed = token::parse_json(text, max_portal_document);
    if (!parsed || !parsed->is_object())
        return Error{Errc::malformed_input, "the document is not one JSON object"};
    return read(parsed->get_object());
} catch (const Error& e) {
    return e;
}

} // namespace cps::ctl
