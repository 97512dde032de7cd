#include "cps/token/json.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace cps;
using token::parse_json;

namespace {

constexpr std::size_t enough = 4096; // octets

bool accepts(std::string_view text)
{
    return parse_json(text, enough).has_value();
}

boost::json::object object_of(std::string_view text)
{
    return parse_json(text, enough).value().as_object();
}

} // namespace

TEST_SUITE("token")
{
    TEST_CASE("JSON of every type is read")
    {
        CHECK(accepts(R"({"a":[1,-2,3.5,"x",true,false,null],"b":{"a":{}}})"));
        CHECK(accepts(" {} \n"));
    }

    TEST_CASE("JSON that readers take in different ways is refused")
    {
        for (const auto* text :
             {"", "{", "{}x", "{} {}", "{\"a\":1,}", "[1,]", "{a:1}", "{'a':1}", "/**/{}",
              "{}//", "{\"a\":01}", "{\"a\":NaN}", "\"\xC3\"", "\"\xED\xA0\x80\"",
              R"("\ud800")", "\"a\nb\"", "\xEF\xBB\xBF{}"}) {
            CAPTURE(text);
            CHECK_FALSE(accepts(text));
        }
    }

    TEST_CASE("an object with two members of one name is refused at any depth, however escaped")
    {
        CHECK_FALSE(accepts(R"({"a":1,"a":1})"));
        CHECK_FALSE(accepts(R"({"a":1,"b":2,"\u0061":3})"));
        CHECK_FALSE(accepts(R"({"x":[{"y":{"a":1,"a":2}}]})"));
        CHECK_FALSE(accepts(R"({"":1,"":2})"));

        CHECK(accepts(R"({"a":{"a":1},"b":{"a":1}})"));
        CHECK(accepts(R"([{"a":1},{"a":1}])"));
    }

    TEST_CASE("JSON deeper than eight levels is refused")
    {
        CHECK(accepts("[[[[[[[[]]]]]]]]"));
        CHECK_FALSE(accepts("[[[[[[[[[]]]]]]]]]"));
    }

    TEST_CASE("JSON longer than the caller allows is refused before it is read")
    {
        CHECK(parse_json("[1]", 3).has_value());
        CHECK(parse_json("[1] ", 3).error().code() == Errc::too_large);
    }

    TEST_CASE("an integer is one only where it is written as one, within 0 and 2^53")
    {
        const auto object = object_of(
            R"({"i":7,"f":7.0,"e":7e0,"s":"7","n":-1,"t":true,"z":0,
                "m":9007199254740991,"big":9007199254740992,"huge":18446744073709551615})");

        CHECK(token::integer_member(object, "i") == 7);
        CHECK(token::integer_member(object, "z") == 0);
        CHECK(token::integer_member(object, "m") == 9007199254740991);
        for (const auto* name : {"f", "e", "s", "n", "t", "big", "huge", "missing"}) {
            CAPTURE(name);
            CHECK_FALSE(token::integer_member(object, name));
        }
    }

    TEST_CASE("members are read by name and type")
    {
        const auto object = object_of(R"({"s":"text","a":[1]})");
        constexpr std::array<std::string_view, 2> both{"a", "s"};
        constexpr std::array<std::string_view, 2> other{"a", "x"};
        constexpr std::array<std::string_view, 3> more{"a", "s", "x"};

        CHECK(token::string_member(object, "s") == "text");
        CHECK_FALSE(token::string_member(object, "a"));
        CHECK(token::array_member(object, "a") != nullptr);
        CHECK(token::array_member(object, "s") == nullptr);
        CHECK(token::has_exactly(object, both));
        CHECK_FALSE(token::has_exactly(object, other));
        CHECK_FALSE(token::has_exactly(object, more));
        CHECK_FALSE(token::has_exactly(object, std::span{both}.first(1)));
    }

    TEST_CASE("a number that no double holds is refused")
    {
        CHECK(cps::token::parse_json("1e300", 100).has_value());
        CHECK(cps::token::parse_json("1e400", 100).error().code() ==
              cps::Errc::malformed_input);
        CHECK(cps::token::parse_json("[-1e400]", 100).error().code() ==
              cps::Errc::malformed_input);
    }
}
