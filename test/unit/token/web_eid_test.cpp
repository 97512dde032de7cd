#include "cps/token/web_eid.hpp"

#include <doctest/doctest.h>

using namespace cps::token;

TEST_SUITE("token")
{
    TEST_CASE("a Web eID nonce is 44 to 128 characters of base64 and nothing else")
    {
        CHECK(WebEidNonce::parse(std::string(44, 'A')));
        CHECK(WebEidNonce::parse(std::string(128, '/')));
        CHECK(WebEidNonce::parse(std::string(43, '+') + "="));
        CHECK_FALSE(WebEidNonce::parse(std::string(43, 'A')));
        CHECK_FALSE(WebEidNonce::parse(std::string(129, 'A')));
        CHECK_FALSE(WebEidNonce::parse(""));
        for (const char bad : {'-', '_', ' ', '\n', '\0', '"', '\x7F', '\xC3'})
            CHECK_FALSE(WebEidNonce::parse(std::string(43, 'A') + bad));
    }
}
