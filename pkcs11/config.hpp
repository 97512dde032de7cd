#pragma once

#include <filesystem>

namespace cps::p11 {

/// How a login lives on the card.
enum class LoginMode {
    exclusive, ///< one transaction from C_Login on; 5 s without a call end it with a reset
    shared,    ///< the card stays verified between short transactions until C_Logout
};

struct Config {
    LoginMode login = LoginMode::exclusive;
    bool cache = true;
    bool log = false;                ///< errors to the host's standard error
    std::filesystem::path cache_dir; ///< empty: nowhere to keep anything
};

/// $XDG_CONFIG_HOME/cps-agent/pkcs11.toml where it exists, else /etc/cps-agent/pkcs11.toml;
/// defaults for what is missing or cannot be read. In a set-uid host: /etc alone, no cache.
Config load_config();

} // namespace cps::p11
