#include "config.hpp"

#include "toml_table.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace cps::agent {
namespace {

/// Written by nobody but root, its group, and us?
bool is_ours_alone(const struct stat& info, bool sticky_will_do)
{
    if (info.st_uid != 0 && info.st_uid != ::geteuid())
        return false;
    const bool group_writes = (info.st_mode & S_IWGRP) != 0 && info.st_gid != 0;
    const bool others_write = group_writes || (info.st_mode & S_IWOTH) != 0;
    return !others_write || (sticky_will_do && (info.st_mode & S_ISVTX) != 0);
}

/// Where packages put what `agent.toml` does not name.
constexpr const char* default_module = CPS_MODULE_PATH;
constexpr const char* default_pinentry = "/usr/bin/pinentry";

std::string program_path(TomlTable& table, std::string_view key, const char* otherwise)
{
    const bool bad_before = table.bad();
    auto path = table.text(key);
    if (!path && table.bad() && !bad_before)
        return {};
    if (!path)
        path = otherwise;
    if (const auto reason = unsafe_reason(*path); !reason.empty()) {
        table.complain(key, reason);
        return {};
    }
    return *path;
}

} // namespace

std::string ConfigProblem::str() const
{
    return file + (line != 0 ? ":" + std::to_string(line) : "") + ": " + reason;
}

std::string unsafe_reason(const std::filesystem::path& path)
{
    if (!path.is_absolute())
        return "must be an absolute path";
    std::error_code ec;
    const auto real = std::filesystem::canonical(path, ec);
    if (ec)
        return "cannot be found: " + ec.message();
    struct stat info {};
    if (::stat(real.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
        return "is not a file";
    if (!is_ours_alone(info, false))
        return "can be written by others than its owner and root";
    for (auto folder = real.parent_path();; folder = folder.parent_path()) {
        if (::stat(folder.c_str(), &info) != 0 || !is_ours_alone(info, true))
            return "lies in " + folder.string() + ", which others can write to";
        if (folder == folder.root_path())
            return {};
    }
}

std::optional<Config> Config::load(const std::filesystem::path& file,
                                   std::vector<ConfigProblem>& problems)
{
    const auto parsed = read_toml(file, problems);
    if (!parsed)
        return std::nullopt;

    TomlTable table{*parsed, file.string(), problems};
    Config config;
    config.module = program_path(table, "module", default_module);
    config.pinentry_program = program_path(table, "pinentry_program", default_pinentry);
    const bool unusable = config.module.empty() || config.pinentry_program.empty();

    if (const auto choice = table.choice("unknown_origins", {"deny", "login"}))
        config.unknown_origins = *choice == 1 ? UnknownOrigins::login : UnknownOrigins::deny;
    if (const auto choice = table.choice("pin_cache", {"renewal", "off"}))
        config.pin_cache = *choice == 1 ? PinCache::off : PinCache::renewal;
    if (const auto choice = table.choice("language", {"auto", "fr", "en"}))
        config.language = *choice == 1   ? Language::fr
                          : *choice == 2 ? Language::en
                                         : Language::automatic;
    config.allow_http_loopback = table.flag("allow_http_loopback").value_or(false);
    config.personal_portals = table.flag("personal_portals").value_or(true);
    config.session_idle = table.duration("session_idle").value_or(config.session_idle);
    config.session_max = table.duration("session_max").value_or(config.session_max);
    if (const auto days = table.number("consent_days")) {
        if (*days < 0 || *days > Config::max_consent_days)
            table.complain("consent_days", "must be 0 to 365 days");
        else
            config.consent_days = std::chrono::days{*days};
    }
    if (const auto choice =
            table.choice("log_level", {"error", "warning", "notice", "info", "debug"}))
        config.log_level =
            static_cast<log::Level>(static_cast<std::size_t>(log::Level::error) + *choice);
    if (auto broker = table.text("broker")) {
        if (*broker == "auto" || *broker == "off" || broker->starts_with('/'))
            config.broker = *std::move(broker);
        else
            table.complain("broker", "must be \"auto\", \"off\" or an absolute path");
    }
    table.refuse_other_keys();
    if (unusable)
        return std::nullopt;
    return config;
}

} // namespace cps::agent
