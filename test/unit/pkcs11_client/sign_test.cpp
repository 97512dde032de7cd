#include "faulty_module.hpp"

using namespace cps;
using namespace cps::test;

TEST_SUITE("pkcs11_client")
{
    TEST_CASE("a token's certificate is listed with its reader and the tries left")
    {
        Faulty faulty{"none"};

        const auto listing = faulty.module().certificates({}).value();

        REQUIRE(listing.size() == 1);
        CHECK(listing[0].index == 0);
        CHECK(text_of(listing[0].der) == "not really a certificate");
        CHECK(listing[0].reader == "A faulty reader 00 00");
        CHECK(listing[0].token_label == "A faulty card");
        CHECK(listing[0].serial == "0001");
        CHECK(listing[0].tries_left == 3);
        CHECK_FALSE(listing[0].pin_pad);
    }

    TEST_CASE("a signature takes one login and ends with a logout and the worker's end")
    {
        Faulty faulty{"none"};

        const auto outcome = faulty.sign("1234").value();

        REQUIRE(std::holds_alternative<Bytes>(outcome));
        CHECK(std::get<Bytes>(outcome) == Bytes(256, 0x5A));
        CHECK(faulty.logins() == 1);
        CHECK(faulty.logouts() == 1);
        CHECK(faulty.module().worker_pid() == -1);
    }

    TEST_CASE("a second signature needs no new listing by the caller")
    {
        Faulty faulty{"none"};
        REQUIRE(faulty.sign("1234").has_value());

        const auto again = faulty.module().sign(0, pin_of("1234"), digest_info, {});

        CHECK(again.has_value());
        CHECK(faulty.logins() == 2);
    }

    TEST_CASE("a wrong PIN is offered once and answers the tries that are left")
    {
        Faulty faulty{"none"};

        const auto outcome = faulty.sign("9999").value();

        REQUIRE(std::holds_alternative<WrongPin>(outcome));
        CHECK(std::get<WrongPin>(outcome).tries_left == 2);
        CHECK(faulty.logins() == 1);
    }

    TEST_CASE("a wrong PIN at the last try answers that the PIN is blocked")
    {
        Faulty faulty{"final_try"};
        CHECK(faulty.module().certificates({}).value()[0].tries_left == 1);

        CHECK(faulty.signing_error("9999") == Errc::pin_blocked);
        CHECK(faulty.logins() == 1);
    }

    TEST_CASE("no PIN is offered to a token whose PIN is blocked")
    {
        Faulty faulty{"pin_locked"};
        CHECK(faulty.module().certificates({}).value()[0].tries_left == 0);

        CHECK(faulty.signing_error() == Errc::pin_blocked);
        CHECK(faulty.logins() == 0);
    }

    TEST_CASE("no PIN is offered to a token that takes it from the reader's keypad")
    {
        Faulty faulty{"pin_pad"};
        CHECK(faulty.module().certificates({}).value()[0].pin_pad);

        CHECK(faulty.signing_error() == Errc::bad_argument);
        CHECK(faulty.logins() == 0);
    }

    TEST_CASE("a PIN whose length the module refuses counts as wrong, with every try left")
    {
        Faulty faulty{"refuses_length"};

        const auto outcome = faulty.sign("12").value();

        REQUIRE(std::holds_alternative<WrongPin>(outcome));
        CHECK(std::get<WrongPin>(outcome).tries_left == 3);
        CHECK(faulty.logins() == 1);
    }

    TEST_CASE("a token whose PIN is typed on the reader logs in without one, and signs")
    {
        Faulty faulty{"pin_pad"};

        CHECK(std::holds_alternative<Bytes>(faulty.sign("").value()));
        CHECK(faulty.logins() == 1);
        CHECK(faulty.logouts() == 1);
    }

    TEST_CASE("an entry that is given up on the reader is told as cancelled, and not repeated")
    {
        Faulty faulty{"pin_pad_cancelled"};

        CHECK(faulty.signing_error("") == Errc::pin_cancelled);
        CHECK(faulty.logins() == 1);
    }

    TEST_CASE("without a keypad no login is tried without a PIN")
    {
        Faulty faulty{"none"};

        CHECK(faulty.signing_error("") == Errc::bad_argument);
        CHECK(faulty.logins() == 0);
    }

    TEST_CASE("a PIN with an octet 0 and a strange DigestInfo reach no card")
    {
        Faulty faulty{"none"};
        auto& module = faulty.module();
        REQUIRE(module.certificates({}).has_value());
        const auto pid = module.worker_pid();

        using namespace std::string_view_literals;
        CHECK(module.sign(0, pin_of("12\0004"sv), digest_info, {}).error().code() ==
              Errc::bad_argument);
        CHECK(module.sign(0, pin_of("1234"), {}, {}).error().code() == Errc::bad_argument);
        CHECK(module.sign(0, pin_of("1234"), Bytes(129), {}).error().code() ==
              Errc::bad_argument);
        CHECK(module.sign(1, pin_of("1234"), digest_info, {}).error().code() ==
              Errc::bad_argument);

        CHECK(faulty.logins() == 0);
        CHECK(module.worker_pid() == pid);
    }

    TEST_CASE("a PIN of the greatest length reaches the module whole")
    {
        Faulty faulty{"none"};

        const auto outcome = faulty.sign(std::string(Pin::max_size, '1')).value();

        CHECK(std::holds_alternative<WrongPin>(outcome));
        CHECK(faulty.logins() == 1);
    }

    TEST_CASE("a module that shows its keys before the login is logged in to all the same")
    {
        Faulty faulty{"shows_keys"};

        CHECK(faulty.sign("1234").has_value());
        CHECK(faulty.logins() == 1);
    }

    TEST_CASE("the PIN is never offered again when the module loses the login")
    {
        for (const auto* fault : {"forgets_the_login", "session_dies_in_sign"}) {
            CAPTURE(fault);
            Faulty faulty{fault};

            CHECK(faulty.signing_error() == Errc::module_failed);
            CHECK(faulty.logins() == 1);
        }
    }

    TEST_CASE("a card that goes during the login or the signature answers card_removed")
    {
        for (const auto* fault : {"removed_in_login", "removed_in_sign"}) {
            CAPTURE(fault);
            Faulty faulty{fault};

            CHECK(faulty.signing_error() == Errc::card_removed);
            CHECK(faulty.logins() == 1);
        }
    }
}
