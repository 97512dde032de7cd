#include "pcsc/native.hpp"

#include <doctest/doctest.h>

using namespace cps;

TEST_SUITE("pcsc")
{
    TEST_CASE(
        "a service that refuses us is told like one that is not there, with PC/SC's own code")
    {
        for (const LONG refused : {SCARD_E_NO_SERVICE, SCARD_W_SECURITY_VIOLATION}) {
            const auto error = pcsc::error_of(refused, "refused");
            CHECK(error.code() == Errc::no_service);
            CHECK(error.native() == refused);
        }
    }

    TEST_CASE("a code that nobody expects is internal")
    {
        CHECK(pcsc::error_of(SCARD_F_UNKNOWN_ERROR, "odd").code() == Errc::internal);
    }
}
