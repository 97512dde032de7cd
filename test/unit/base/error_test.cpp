#include "cps/base/error.hpp"

#include <doctest/doctest.h>

using namespace cps;

TEST_SUITE("base")
{
    TEST_CASE("an error has one stable code, one status and words in both languages")
    {
        CHECK(stable_code(Errc::pin_blocked) == "pin_blocked");
        CHECK(http_status(Errc::pin_blocked) == 422);
        CHECK(http_status(Errc::host_refused) == 421);
        CHECK(explain(Errc::no_card, "fr") != explain(Errc::no_card, "en"));
        CHECK(explain(Errc::no_card, "de") == explain(Errc::no_card, "en"));
    }

    TEST_CASE("what only lower layers know is told as internal")
    {
        CHECK(stable_code(Errc::malformed_input) == "internal");
        CHECK(http_status(Errc::card_refused) == 500);
    }

    TEST_CASE("a result throws the error that it holds")
    {
        const Result<int> failed = Error{Errc::busy, "a dialog is open", 7};

        CHECK_THROWS_AS(failed.value(), Error);
        CHECK(failed.error().native() == 7);
    }
}
