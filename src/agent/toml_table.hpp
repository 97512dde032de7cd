#pragma once

#include "config.hpp"

#include <toml++/toml.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cps::agent {

/// Largest configuration file that is read; a portal's has a few hundred octets.
inline constexpr std::uintmax_t max_config_size = 256 * 1024; // octets

/// Parses `file`; a problem is added and nothing returned where that fails.
std::optional<toml::table> read_toml(const std::filesystem::path& file,
                                     std::vector<ConfigProblem>& problems);

/// Reads one table key by key and remembers which keys it was asked for, so that a misspelt
/// key is told and not passed over.
class TomlTable {
public:
    TomlTable(const toml::table& table, std::string file, std::vector<ConfigProblem>& problems)
        : table_{table}, file_{std::move(file)}, problems_{problems}
    {
    }

    std::optional<std::string> text(std::string_view key);
    std::optional<bool> flag(std::string_view key);
    std::optional<std::int64_t> number(std::string_view key);
    std::vector<std::string> texts(std::string_view key);
    const toml::table* table(std::string_view key);
    const toml::array* array(std::string_view key);
    /// "90s", "15m", "1h".
    std::optional<std::chrono::seconds> duration(std::string_view key);
    /// One of `choices`; anything else is a problem.
    std::optional<std::size_t> choice(std::string_view key,
                                      std::initializer_list<std::string_view> choices);

    void complain(std::string_view key, std::string reason);
    /// Complains of every key that nobody asked for.
    void refuse_other_keys();
    bool bad() const noexcept { return bad_; }

private:
    const toml::node* find(std::string_view key);
    template <class T>
    std::optional<T> value(std::string_view key, const char* wanted);
    const toml::table& table_;
    std::string file_;
    std::vector<ConfigProblem>& problems_;
    std::set<std::string, std::less<>> asked_;
    bool bad_ = false;
};

} // namespace cps::agent
