#pragma once

#include "cps/base/error.hpp"
#include "cps/base/log.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cps::agent {

/// What is wrong with one line of a configuration file, for IT: told by `--check`, the log
/// and `cpsctl doctor`.
struct ConfigProblem {
    std::string file;
    unsigned line = 0; ///< from 1; 0 where no line is to blame
    std::string reason;
    /// `file:line: reason`.
    std::string str() const;
};

enum class UnknownOrigins { deny, login };
enum class PinCache { renewal, off };
enum class Language { automatic, fr, en };

/// `agent.toml` (docs/http-api.md, "Configuration").
struct Config {
    std::string module;           ///< PKCS #11 module, absolute path; default: our own
    std::string pinentry_program; ///< absolute path; default: /usr/bin/pinentry
    UnknownOrigins unknown_origins = UnknownOrigins::deny;
    PinCache pin_cache = PinCache::renewal;
    bool allow_http_loopback = false;
    bool personal_portals = true;
    std::chrono::seconds session_idle{std::chrono::hours{1}};
    std::chrono::seconds session_max{std::chrono::hours{4}};
    Language language = Language::automatic;
    /// Where the broker waits that holds the port for everybody: "auto" (the package's, where
    /// there is one), "off", or an absolute path.
    std::string broker = "auto";
    static constexpr unsigned max_consent_days = 365;
    std::chrono::days consent_days{90}; ///< a remembered consent's life; 0: none is remembered

    log::Level log_level = log::Level::notice;

    /// Reads `file`. Every problem is collected in `problems`; empty when the file cannot be
    /// used at all, because it does not parse, or names no module or pinentry that is safe to
    /// run.
    static std::optional<Config> load(const std::filesystem::path& file,
                                      std::vector<ConfigProblem>& problems);
};

/// A path that is run or loaded with the person's rights must be absolute, a regular file,
/// and neither it nor a folder above it may be written by anybody but root and this user (a
/// sticky folder excepted). Empty when that is so, else the reason.
std::string unsafe_reason(const std::filesystem::path& path);

} // namespace cps::agent
