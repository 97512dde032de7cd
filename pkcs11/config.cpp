#include "config.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <cstdlib>

namespace cps::p11 {
namespace {

namespace fs = std::filesystem;

/// $`variable`, or `below_home` in the home directory; empty where neither is known.
fs::path user_dir(const char* variable, const char* below_home)
{
    if (const char* const named = ::secure_getenv(variable);
        named != nullptr && named[0] == '/')
        return fs::path{named} / "cps-agent";
    if (const char* const home = ::secure_getenv("HOME"); home != nullptr && home[0] == '/')
        return fs::path{home} / below_home / "cps-agent";
    return {};
}

void read(Config& config, const toml::table& table)
{
    if (table["login"].value_or(std::string_view{"exclusive"}) == "shared")
        config.login = LoginMode::shared;
    config.cache = table["cache"].value_or(true);
    config.log = table["log"].value_or(false);
}

} // namespace

Config load_config()
{
    Config config;
    config.cache_dir = user_dir("XDG_CACHE_HOME", ".cache");
    for (const auto& dir :
         {user_dir("XDG_CONFIG_HOME", ".config"), fs::path{"/etc/cps-agent"}}) {
        std::error_code error;
        if (dir.empty() || !fs::is_regular_file(dir / "pkcs11.toml", error))
            continue;
        if (const auto parsed = toml::parse_file((dir / "pkcs11.toml").native()))
            read(config, parsed.table());
        break;
    }
    return config;
}

} // namespace cps::p11
