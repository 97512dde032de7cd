#include "cps/token/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>

#include <cmath>
#include <set>
#include <utility>
#include <vector>

namespace cps::token {
namespace {

constexpr std::size_t max_depth = 8; // a token needs 3, a challenge 2
constexpr std::int64_t max_integer = (std::int64_t{1} << 53) - 1; // exact in every JSON reader

/// Sees every member name of a document, unescaped; stops at the second of one name, and at a
/// number that no double holds.
class Watcher {
public:
    static constexpr std::size_t max_object_size = SIZE_MAX;
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;
    using Text = boost::json::string_view;
    using Code = boost::json::error_code;

    bool on_object_begin(Code&)
    {
        levels_.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, Code&)
    {
        levels_.pop_back();
        return true;
    }
    bool on_key_part(Text part, std::size_t, Code&)
    {
        name_.append(part.data(), part.size());
        return true;
    }
    bool on_key(Text part, std::size_t, Code& ec)
    {
        name_.append(part.data(), part.size());
        const auto is_new = levels_.back().insert(std::exchange(name_, {})).second;
        if (!is_new)
            ec = boost::json::error::syntax;
        return is_new;
    }

    bool on_document_begin(Code&) { return true; }
    bool on_document_end(Code&) { return true; }
    bool on_array_begin(Code&) { return true; }
    bool on_array_end(std::size_t, Code&) { return true; }
    bool on_string_part(Text, std::size_t, Code&) { return true; }
    bool on_string(Text, std::size_t, Code&) { return true; }
    bool on_number_part(Text, Code&) { return true; }
    bool on_int64(std::int64_t, Text, Code&) { return true; }
    bool on_uint64(std::uint64_t, Text, Code&) { return true; }
    bool on_double(double value, Text, Code& ec)
    {
        if (!std::isfinite(value))
            ec = boost::json::error::exponent_overflow;
        return std::isfinite(value);
    }
    bool on_bool(bool, Code&) { return true; }
    bool on_null(Code&) { return true; }
    bool on_comment_part(Text, Code&) { return true; }
    bool on_comment(Text, Code&) { return true; }

private:
    std::vector<std::set<std::string>> levels_; // one an open object
    std::string name_;
};

bool is_loose(std::string_view text)
{
    boost::json::basic_parser<Watcher> parser{{}};
    boost::json::error_code ec;
    parser.write_some(false, text.data(), text.size(), ec);
    return ec.failed();
}

} // namespace

Result<boost::json::value> parse_json(std::string_view text, std::size_t max_size)
{
    if (text.size() > max_size)
        return Error{Errc::too_large, "JSON text is too long"};

    boost::json::parse_options options;
    options.max_depth = max_depth;
    boost::json::error_code ec;
    auto value = boost::json::parse(text, ec, {}, options);
    if (ec)
        return Error{Errc::malformed_input, "not JSON", ec.value()};
    if (is_loose(text))
        return Error{Errc::malformed_input, "JSON that readers take differently"};
    return value;
}

bool has_exactly(const boost::json::object& object, std::span<const std::string_view> names)
{
    if (object.size() != names.size())
        return false;
    for (const auto name : names)
        if (!object.contains(name))
            return false;
    return true;
}

std::optional<std::string_view> string_member(const boost::json::object& object,
                                              std::string_view name)
{
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_string())
        return std::nullopt;
    return std::string_view{value->get_string()};
}

std::optional<std::int64_t> integer_member(const boost::json::object& object,
                                           std::string_view name)
{
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_int64())
        return std::nullopt;
    const auto number = value->get_int64();
    if (number < 0 || number > max_integer)
        return std::nullopt;
    return number;
}

const boost::json::array* array_member(const boost::json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_array();
}

} // namespace cps::token
