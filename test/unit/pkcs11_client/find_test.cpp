#include "faulty_module.hpp"

using namespace cps;
using namespace cps::test;

namespace {

/// What signing with a certificate that was found fails with.
Errc error_of(const char* faults)
{
    Faulty faulty{faults};
    REQUIRE(faulty.find().has_value());
    const auto outcome = faulty.sign_found("1234");
    CHECK(faulty.logins() <= 1);
    return outcome ? Errc::internal : outcome.error().code();
}

} // namespace

TEST_SUITE("pkcs11_client")
{
    TEST_CASE("with our module a certificate is found again and its key signs, in one login")
    {
        Faulty ours{"says_it_is_ours"};
        const auto found = ours.find();

        REQUIRE(found.has_value());
        REQUIRE(found->size() == 1);
        CHECK(found->front().reader == "A faulty reader 00 00");
        CHECK(found->front().serial == "0001");
        CHECK(found->front().tries_left == 3);
        const auto outcome = ours.sign_found("1234");
        REQUIRE(outcome.has_value());
        CHECK(std::get<Bytes>(*outcome) == Bytes(256, 0x5A));
        CHECK((ours.logins() == 1 && ours.logouts() == 1));
        CHECK(ours.module().card_was_reset());
        CHECK(ours.module().worker_pid() == -1); // it has seen a PIN
    }

    TEST_CASE("one that is not in that reader, or not on the card any more, is gone")
    {
        Faulty ours{"says_it_is_ours"};
        CHECK(ours.finding_error("Another reader") == Errc::card_removed);
        Faulty changed{"says_it_is_ours copy_is_stale"};
        CHECK(changed.finding_error() == Errc::card_removed);
        CHECK((ours.logins() == 0 && changed.logins() == 0));
    }

    TEST_CASE("a wrong PIN costs one try and says how many are left")
    {
        Faulty ours{"says_it_is_ours"};
        REQUIRE(ours.find().has_value());
        const auto outcome = ours.sign_found("9999");

        REQUIRE(outcome.has_value());
        CHECK(std::get<WrongPin>(*outcome).tries_left == 2);
        CHECK(ours.logins() == 1);
        CHECK_FALSE(ours.module().card_was_reset());
        Faulty last{"says_it_is_ours final_try"};
        REQUIRE(last.find().has_value());
        CHECK(last.sign_found("9999").error().code() == Errc::pin_blocked);
    }

    TEST_CASE("no PIN is offered to a blocked card, nor typed where a keypad asks for it")
    {
        for (const auto* const faults :
             {"says_it_is_ours pin_locked", "says_it_is_ours pin_pad"}) {
            Faulty ours{faults};
            REQUIRE(ours.find().has_value());
            CHECK(ours.sign_found("1234").has_error());
            CHECK(ours.logins() == 0);
        }
    }

    TEST_CASE("whatever goes wrong in our module has its name, and nothing is tried again")
    {
        CHECK(error_of("says_it_is_ours removed_in_login") == Errc::card_removed);
        CHECK(error_of("says_it_is_ours removed_in_sign") == Errc::card_removed);
        CHECK(error_of("says_it_is_ours fails_to_sign") == Errc::module_failed);
        CHECK(error_of("says_it_is_ours forgets_the_login") == Errc::module_failed);
        CHECK(error_of("says_it_is_ours absurd_signature_size") == Errc::module_failed);
        CHECK(error_of("says_it_is_ours crash_in_sign") == Errc::module_failed);
        CHECK(error_of("says_it_is_ours hang_in_sign") == Errc::module_failed);
        CHECK(error_of("says_it_is_ours exit_in_sign") == Errc::module_failed);
    }

    TEST_CASE(
        "a signature that failed is followed by the logout, and a logout that failed is told")
    {
        Faulty failing{"says_it_is_ours fails_to_sign"};
        REQUIRE(failing.find().has_value());
        CHECK(failing.sign_found("1234").has_error());
        CHECK(failing.logouts() == 1);
        Faulty verified{"fails_to_log_out"};
        REQUIRE(verified.find().has_value());
        CHECK(verified.sign_found("1234").has_value());
        CHECK_FALSE(verified.module().card_was_reset());
    }

    TEST_CASE("other modules list what they have, and sign as ever")
    {
        Faulty other{"none"};
        const auto found = other.find("Another reader");

        REQUIRE(found.has_value());
        CHECK(found->size() == 1);
        CHECK(other.sign_found("1234").has_value());
        CHECK(other.logins() == 1);
    }
}
