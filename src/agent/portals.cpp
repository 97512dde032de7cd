#include "portals.hpp"

#include "display.hpp"
#include "toml_table.hpp"

#include <algorithm>

namespace cps::agent {
namespace {

/// @param longest in characters; in octets half more.
Words words(TomlTable& parent, std::string_view key, std::size_t longest,
            const std::string& file, std::vector<ConfigProblem>& problems)
{
    Words out;
    const auto* const table = parent.table(key);
    if (table == nullptr) {
        parent.complain(key, "is missing");
        return out;
    }
    TomlTable reader{*table, file, problems};
    out.fr = reader.text("fr").value_or("");
    out.en = reader.text("en").value_or("");
    reader.refuse_other_keys();
    if (out.fr.empty() || reader.bad())
        parent.complain(key, "wants its French words: { fr = \"…\", en = \"…\" }");
    for (const auto& text : {out.fr, out.en})
        if (for_display(text, longest) != text)
            parent.complain(key,
                            "must be shown whole: at most " + std::to_string(longest) +
                                " characters that can be seen, and half as many octets more");
    return out;
}

void read_feature(Portal& portal, const toml::table& table, const std::string& file,
                  std::vector<ConfigProblem>& problems, TomlTable& parent)
{
    TomlTable reader{table, file, problems};
    const auto id = token::Feature::parse(reader.text("id").value_or(""));
    if (!id || id->is_login())
        reader.complain("id", "must be [a-z0-9._-], 1 to 64 characters, and not \"login\"");
    PortalFeature feature;
    feature.label = words(reader, "label", Portals::max_label, file, problems);
    const auto mode = reader.choice("mode", {"session", "card"});
    if (!mode && !reader.bad())
        reader.complain("mode", "is missing");
    feature.mode = mode == std::size_t{1} ? FeatureMode::card : FeatureMode::session;
    const auto limit = reader.number("limit");
    if (feature.mode == FeatureMode::session && !reader.bad() &&
        (!limit || *limit < 1 || *limit > Portals::max_limit))
        reader.complain("limit", "must be 1 to 10000 feature tokens a session");
    feature.limit = static_cast<unsigned>(limit.value_or(0));
    reader.refuse_other_keys();
    if (reader.bad())
        return parent.complain("feature", "has errors");
    if (!portal.features.emplace(*id, std::move(feature)).second)
        parent.complain("feature", "is declared twice: " + id->str());
}

std::optional<Portal> read_portal(const std::filesystem::path& path, bool allow_http_loopback,
                                  std::vector<ConfigProblem>& problems)
{
    const auto parsed = read_toml(path, problems);
    if (!parsed)
        return std::nullopt;
    const auto file = path.string();
    TomlTable table{*parsed, file, problems};

    const auto origin = token::Origin::parse(table.text("origin").value_or(""));
    if (!origin) {
        table.complain("origin", "must be https://host[:port], in lower case, without a slash");
        return std::nullopt;
    }
    Portal portal{*origin, {}, {}, {}, false, {}};
    if (!origin->is_https() && !allow_http_loopback)
        table.complain("origin", "is http, which wants allow_http_loopback in agent.toml");
    portal.name = words(table, "name", Portals::max_name, file, problems);
    portal.redirect_uris = table.texts("redirect_uris");
    for (const auto& uri : portal.redirect_uris)
        if (!lies_under(uri, *origin))
            table.complain("redirect_uris", "must lie under the origin: " + uri);
    portal.revoke_uri = table.text("revoke_uri").value_or("");
    if (!portal.revoke_uri.empty() && !lies_under(portal.revoke_uri, *origin))
        table.complain("revoke_uri", "must lie under the origin");
    portal.web_eid = table.flag("web_eid").value_or(false);
    if (const auto* const features = table.array("feature")) {
        if (features->size() > Portals::max_features)
            table.complain("feature", "is declared more than 64 times");
        for (const auto& one : *features)
            if (const auto* const feature = one.as_table())
                read_feature(portal, *feature, file, problems, table);
            else
                table.complain("feature", "must be a table");
    }
    table.refuse_other_keys();
    if (table.bad())
        return std::nullopt;
    return portal;
}

} // namespace

bool lies_under(std::string_view uri, const token::Origin& origin)
{
    return uri.starts_with(origin.str()) && uri.substr(origin.str().size()).starts_with('/') &&
           std::ranges::all_of(uri, [](char c) { return c > 0x20 && c < 0x7F; });
}

void Portals::load(const std::filesystem::path& folder, bool allow_http_loopback,
                   std::vector<ConfigProblem>& problems)
{
    std::vector<std::filesystem::path> files;
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator{folder, ec})
        if (entry.path().extension() == ".toml")
            files.push_back(entry.path());
    if (files.size() > max_files) {
        problems.push_back({folder.string(), 0, "holds more than 256 portals"});
        return;
    }
    std::ranges::sort(files);
    for (const auto& file : files) {
        auto portal = read_portal(file, allow_http_loopback, problems);
        if (!portal)
            continue;
        portal->file = file.string();
        auto origin = portal->origin;
        if (!portals_.emplace(std::move(origin), std::move(*portal)).second)
            problems.push_back(
                {file.string(), 0, "repeats an origin that is registered already"});
    }
}

void Portals::keep(const Portals& before, const std::vector<ConfigProblem>& problems,
                   bool allow_http_loopback)
{
    for (const auto& [origin, portal] : before.portals_)
        if ((origin.is_https() || allow_http_loopback) &&
            std::ranges::find(problems, portal.file, &ConfigProblem::file) != problems.end())
            portals_.emplace(origin, portal); // unless another file registers it now
}

void Portals::replace(Portals fresh)
{
    replaced_.push_back(std::exchange(portals_, std::move(fresh.portals_)));
}

const Portal* Portals::find(const token::Origin& origin) const
{
    const auto found = portals_.find(origin);
    return found != portals_.end() ? &found->second : nullptr;
}

} // namespace cps::agent
