#include "toml_table.hpp"

#include <algorithm>
#include <charconv>

namespace cps::agent {

std::optional<toml::table> read_toml(const std::filesystem::path& file,
                                     std::vector<ConfigProblem>& problems)
{
    std::error_code ec;
    const auto size = std::filesystem::file_size(file, ec);
    if (ec || size > max_config_size) {
        problems.push_back({file.string(), 0,
                            ec ? "cannot be read: " + ec.message() : "is larger than 256 KiB"});
        return std::nullopt;
    }
    try {
        return toml::parse_file(file.string());
    } catch (const toml::parse_error& e) {
        problems.push_back(
            {file.string(), e.source().begin.line, std::string{e.description()}});
        return std::nullopt;
    }
}

const toml::node* TomlTable::find(std::string_view key)
{
    asked_.emplace(key);
    return table_.get(key);
}

void TomlTable::complain(std::string_view key, std::string reason)
{
    bad_ = true;
    const auto* const node = table_.get(key);
    problems_.push_back(
        {file_, node != nullptr ? node->source().begin.line : table_.source().begin.line,
         std::string{key} + ": " + std::move(reason)});
}

template <class T>
std::optional<T> TomlTable::value(std::string_view key, const char* wanted)
{
    const auto* const node = find(key);
    if (node == nullptr)
        return std::nullopt;
    if (const auto got = node->value_exact<T>())
        return got;
    complain(key, wanted);
    return std::nullopt;
}

std::optional<std::string> TomlTable::text(std::string_view key)
{
    return value<std::string>(key, "must be a text in quotes");
}

std::optional<bool> TomlTable::flag(std::string_view key)
{
    return value<bool>(key, "must be true or false");
}

std::optional<std::int64_t> TomlTable::number(std::string_view key)
{
    return value<std::int64_t>(key, "must be a whole number");
}

const toml::table* TomlTable::table(std::string_view key)
{
    const auto* const node = find(key);
    if (node != nullptr && !node->is_table())
        complain(key, "must be a table");
    return node != nullptr ? node->as_table() : nullptr;
}

const toml::array* TomlTable::array(std::string_view key)
{
    const auto* const node = find(key);
    if (node != nullptr && !node->is_array())
        complain(key, "must be a list");
    return node != nullptr ? node->as_array() : nullptr;
}

std::vector<std::string> TomlTable::texts(std::string_view key)
{
    std::vector<std::string> out;
    const auto* const list = array(key);
    if (list == nullptr)
        return out;
    for (const auto& item : *list) {
        if (auto text = item.value_exact<std::string>())
            out.push_back(std::move(*text));
        else
            complain(key, "must be a list of texts in quotes");
    }
    return out;
}

std::optional<std::chrono::seconds> TomlTable::duration(std::string_view key)
{
    const auto given = text(key);
    if (!given)
        return std::nullopt;
    long long amount = 0;
    const auto* const end = given->data() + given->size();
    const auto [rest, ec] = std::from_chars(given->data(), end, amount);
    const auto unit = std::string_view{rest, end};
    const auto factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    constexpr long long max_amount = 1'000'000; // no overflow below
    if (ec != std::errc{} || factor == 0 || amount <= 0 || amount > max_amount) {
        complain(key, R"(must be a time such as "90s", "15m" or "1h")");
        return std::nullopt;
    }
    return std::chrono::seconds{amount * factor};
}

std::optional<std::size_t> TomlTable::choice(std::string_view key,
                                             std::initializer_list<std::string_view> choices)
{
    const auto given = text(key);
    if (!given)
        return std::nullopt;
    const auto found = std::ranges::find(choices, *given);
    if (found != choices.end())
        return static_cast<std::size_t>(found - choices.begin());
    std::string reason = "must be one of";
    for (const auto one : choices)
        reason += " \"" + std::string{one} + '"';
    complain(key, std::move(reason));
    return std::nullopt;
}

void TomlTable::refuse_other_keys()
{
    for (const auto& [key, node] : table_)
        if (!asked_.contains(key.str()))
            complain(key.str(), "is not a setting; check its spelling");
}

} // namespace cps::agent
