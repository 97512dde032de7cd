#include "faulty_module.hpp"

#include <thread>

using namespace cps;
using namespace cps::test;

TEST_SUITE("pkcs11_client")
{
    TEST_CASE("a module that does not load, crashes, exits or tells nonsense fails the listing")
    {
        for (const auto* fault :
             {"crash_at_load", "exit_at_load", "exit_in_initialize", "fails_to_initialize",
              "no_functions", "absurd_slot_count", "many_certificates", "writes_everywhere"}) {
            CAPTURE(fault);
            Faulty faulty{fault};

            CHECK(faulty.listing_error() == Errc::module_failed);
        }
    }

    TEST_CASE("the CK_RV of a module that fails is told")
    {
        Faulty initialising{"fails_to_initialize"};
        CHECK(initialising.module().certificates({}).error().native() == 0x30);

        Faulty signing{"fails_to_sign"};
        CHECK(signing.sign("1234").error().native() == 0x30);
    }

    TEST_CASE("a certificate longer than any real one is left out")
    {
        Faulty faulty{"long_certificate"};

        CHECK(faulty.module().certificates({}).value().empty());
    }

#ifndef __SANITIZE_ADDRESS__ // under which the worker has no limit to its memory
    TEST_CASE("a certificate of an absurd size is left out and starves nobody")
    {
        for (const auto* fault : {"absurd_certificate_size", "huge_certificate_size"}) {
            CAPTURE(fault);
            Faulty faulty{fault};

            CHECK(faulty.module().certificates({}).value().empty());
            CHECK(peak_kilobytes(faulty.module().worker_pid()) < 256 * 1024);
        }
    }
#endif

    TEST_CASE("what a module prints does not reach the agent")
    {
        Faulty faulty{"prints"};

        CHECK(faulty.sign("1234").has_value());
    }

    TEST_CASE("a module that dies or tells nonsense in the signature fails it, with one login")
    {
        for (const auto* fault : {"crash_in_sign", "exit_in_sign", "fails_to_sign",
                                  "absurd_signature_size", "longer_signature_than_told"}) {
            CAPTURE(fault);
            Faulty faulty{fault};

            CHECK(faulty.signing_error() == Errc::module_failed);
            CHECK(faulty.logins() == 1);
        }
    }

    TEST_CASE("a module that hangs is killed at the deadline")
    {
        for (const auto* fault :
             {"hang_in_initialize", "hang_in_list", "hang_in_login", "hang_in_sign"}) {
            CAPTURE(fault);
            Faulty faulty{fault};
            const auto pid = faulty.module().worker_pid();
            const auto start = std::chrono::steady_clock::now();

            CHECK(faulty.signing_error() == Errc::module_failed);

            CHECK(std::chrono::steady_clock::now() - start >= 2s);
            CHECK(std::chrono::steady_clock::now() - start < 4s);
            CHECK_FALSE(alive(pid));
        }
    }

    TEST_CASE("a module that hangs or crashes in C_Finalize does not cost the signature")
    {
        for (const auto* fault : {"hang_in_finalize", "crash_in_finalize"}) {
            CAPTURE(fault);
            Faulty faulty{fault};
            const auto pid = faulty.module().worker_pid();

            CHECK(faulty.sign("1234").has_value());
            CHECK_FALSE(alive(pid));
        }
    }

    TEST_CASE("a signal raised in the middle of a signature kills the worker at once")
    {
        Faulty faulty{"hang_in_sign"};
        const CancelPipe cancel;
        const auto pid = faulty.module().worker_pid();
        std::jthread later{[&] {
            std::this_thread::sleep_for(300ms);
            cancel.raise();
        }};
        const auto start = std::chrono::steady_clock::now();

        const auto outcome = faulty.sign("1234", cancel.signal());

        CHECK(outcome.error().code() == Errc::cancelled);
        CHECK(std::chrono::steady_clock::now() - start < 1500ms);
        CHECK_FALSE(alive(pid));
    }

    TEST_CASE("a signal raised beforehand keeps the PIN from the card")
    {
        Faulty faulty{"none"};
        const CancelPipe cancel;
        cancel.raise();

        CHECK(faulty.sign("1234", cancel.signal()).error().code() == Errc::cancelled);
        CHECK(faulty.module().certificates(cancel.signal()).error().code() == Errc::cancelled);
        CHECK(faulty.logins() == 0);
    }

    TEST_CASE("after a failure the next call starts another worker")
    {
        Faulty faulty{"crash_at_load"};
        REQUIRE(faulty.listing_error() == Errc::module_failed);
        ::setenv("CPS_FAULT", "none", 1);

        CHECK(faulty.module().certificates({}).value().size() == 1);
    }

    TEST_CASE("a worker killed from outside fails one call and raises no SIGPIPE")
    {
        ::signal(SIGPIPE, SIG_DFL); // whoever started the tests may ignore it
        Faulty faulty{"none"};
        REQUIRE(faulty.module().certificates({}).has_value());
        ::kill(faulty.module().worker_pid(), SIGKILL);
        std::this_thread::sleep_for(50ms);

        CHECK(faulty.module().sign(0, pin_of("1234"), digest_info, {}).error().code() ==
              Errc::module_failed);
        CHECK(faulty.module().certificates({}).has_value());
    }

    TEST_CASE("the worker dies with its module object")
    {
        pid_t pid = -1;
        {
            Faulty faulty{"none"};
            pid = faulty.module().worker_pid();
            REQUIRE(alive(pid));
        }

        CHECK_FALSE(alive(pid));
    }

    TEST_CASE("a path that is not absolute, and a worker that is not there, are refused")
    {
        const auto error_of = [](const char* worker, const char* module) {
            try {
                return Module{worker, module}.certificates({}).error().code();
            } catch (const Error& error) {
                return error.code();
            }
        };

        CHECK(error_of(CPS_AGENT_WORKER, "module.so") == Errc::module_failed);
        CHECK(error_of("cps-agent-worker", CPS_FAULTY_MODULE) == Errc::module_failed);
        CHECK(error_of("/nonexistent/worker", CPS_FAULTY_MODULE) == Errc::module_failed);
    }

    TEST_CASE("a module that is not there fails the listing")
    {
        Module module{CPS_AGENT_WORKER, "/nonexistent/module.so", short_deadlines};

        CHECK(module.certificates({}).error().code() == Errc::module_failed);
    }
}
