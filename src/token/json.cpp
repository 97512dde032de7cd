#include "cps/token/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <cmath>

namespace cps::token {
namespace {

constexpr std::size_t max_depth = 8; // a token needs 3, a challenge 2
constexpr std::int64_t max_integer = (std::int64_t{1} << 53) - 1; // exact in every JSON reader

/// Builds the value in the one pass over the text, counts the members that the text names, and
/// stops at a number that no double holds.
class Builder {
public:
    static constexpr std::size_t max_object_size = SIZE_MAX;
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;
    using Text = boost::json::string_view;
    using Code = boost::json::error_code;

    bool on_object_end(std::size_t members, Code&)
    {
        stack_.push_object(members); // of two members of one name it keeps one
        members_ += members;
        return true;
    }
    bool on_array_end(std::size_t elements, Code&)
    {
        stack_.push_array(elements);
        return true;
    }
    bool on_key_part(Text part, std::size_t, Code&)
    {
        stack_.push_chars(part);
        return true;
    }
    bool on_key(Text part, std::size_t, Code&)
    {
        stack_.push_key(part);
        return true;
    }
    bool on_string_part(Text part, std::size_t, Code&)
    {
        stack_.push_chars(part);
        return true;
    }
    bool on_string(Text part, std::size_t, Code&)
    {
        stack_.push_string(part);
        return true;
    }
    bool on_int64(std::int64_t number, Text, Code&)
    {
        stack_.push_int64(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, Text, Code&)
    {
        stack_.push_uint64(number);
        return true;
    }
    bool on_double(double number, Text, Code& ec)
    {
        if (!std::isfinite(number)) {
            ec = boost::json::error::exponent_overflow;
            return false;
        }
        stack_.push_double(number);
        return true;
    }
    bool on_bool(bool value, Code&)
    {
        stack_.push_bool(value);
        return true;
    }
    bool on_null(Code&)
    {
        stack_.push_null();
        return true;
    }

    bool on_document_begin(Code&) { return true; }
    bool on_document_end(Code&) { return true; }
    bool on_object_begin(Code&) { return true; }
    bool on_array_begin(Code&) { return true; }
    bool on_number_part(Text, Code&) { return true; }
    bool on_comment_part(Text, Code&) { return true; }
    bool on_comment(Text, Code&) { return true; }

    /// Of a whole document, once.
    boost::json::value value() { return stack_.release(); }
    std::size_t members() const noexcept { return members_; }

private:
    boost::json::value_stack stack_;
    std::size_t members_ = 0;
};

/// How many members the value has, all objects in it together. No deeper than max_depth.
std::size_t members_in(const boost::json::value& value)
{
    std::size_t count = 0;
    if (const auto* object = value.if_object()) {
        count = object->size();
        for (const auto& member : *object)
            count += members_in(member.value());
    } else if (const auto* array = value.if_array()) {
        for (const auto& element : *array)
            count += members_in(element);
    }
    return count;
}

} // namespace

Result<boost::json::value> parse_json(std::string_view text, std::size_t max_size)
{
    if (text.size() > max_size)
        return Error{Errc::too_large, "JSON text is too long"};

    boost::json::parse_options options;
    options.max_depth = max_depth;
    boost::json::basic_parser<Builder> parser{options};
    boost::json::error_code ec;
    const auto read = parser.write_some(false, text.data(), text.size(), ec);
    if (ec || read != text.size() || !parser.done())
        return Error{Errc::malformed_input, "not JSON", ec.value()};
    auto value = parser.handler().value();
    if (members_in(value) != parser.handler().members())
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
