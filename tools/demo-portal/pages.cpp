#include "pages.hpp"

#include "built_in.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace cps::portal {
namespace {

struct PageFile {
    std::string_view path;
    std::string_view name;
    std::string_view type;
};

constexpr PageFile files[] = {
    {"/", "index.html", "text/html; charset=utf-8"},
    {"/portal.css", "portal.css", "text/css; charset=utf-8"},
    {"/portal.js", "portal.js", "text/javascript; charset=utf-8"},
    {"/words.js", "words.js", "text/javascript; charset=utf-8"},
    {"/cps.js", "cps.js", "text/javascript; charset=utf-8"},
    {"/icon.svg", "icon.svg", "image/svg+xml"},
};
/// Stands in the page where the agent's ports go.
constexpr std::string_view ports_mark = "{{agent_ports}}";

std::string policy_for(const AgentPorts& ports)
{
    std::string connect = "connect-src 'self'";
    for (unsigned port = ports.first; port <= ports.last; ++port)
        connect += " http://127.0.0.1:" + std::to_string(port);
    return "default-src 'self'; " + connect +
           "; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";
}

std::optional<std::string> contents_of(std::string_view name,
                                       const std::optional<std::filesystem::path>& folder)
{
    if (folder) {
        std::ifstream file{*folder / name, std::ios::binary};
        std::ostringstream text;
        text << file.rdbuf();
        return file ? std::optional{text.str()} : std::nullopt;
    }
    const auto built_in = built_in_files();
    const auto found = std::ranges::find(built_in, name, &web::BuiltInFile::name);
    return found == built_in.end() ? std::nullopt : std::optional{std::string{found->contents}};
}

} // namespace

Pages::Pages(std::optional<std::filesystem::path> folder, const AgentPorts& ports)
    : folder_{std::move(folder)}, ports_{ports}, security_policy_{policy_for(ports)}
{
}

std::optional<http::Response> Pages::find(std::string_view path) const
{
    const auto* file = std::ranges::find(files, path, &PageFile::path);
    if (file == std::end(files))
        return std::nullopt;
    auto text = contents_of(file->name, folder_);
    if (!text)
        return std::nullopt;
    if (const auto mark = text->find(ports_mark); mark != std::string::npos)
        text->replace(mark, ports_mark.size(), ports_.str());
    http::Response response;
    response.content_type = file->type;
    response.body = std::move(*text);
    return response;
}

} // namespace cps::portal
