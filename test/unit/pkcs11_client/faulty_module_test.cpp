#include "cps/pkcs11_client/module.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

using namespace cps;
using namespace std::chrono_literals;
using pkcs11::CancelSignal;
using pkcs11::Module;
using pkcs11::WrongPin;

namespace {

// Ample for a module that answers, short for one that never will.
constexpr pkcs11::Deadlines short_deadlines{2s, 2s, 200ms};
const Bytes digest_info(51, 0x30);

Pin pin_of(std::string_view digits)
{
    Pin pin;
    std::ranges::copy(digits, pin.buffer().begin());
    pin.set_size(digits.size());
    return pin;
}

/// The faulty module with one fault, and what it noted of logins.
class Faulty {
public:
    explicit Faulty(const char* fault)
        : log_{std::filesystem::temp_directory_path() /
               ("cps-faulty-" + std::to_string(::getpid()))}
    {
        std::filesystem::remove(log_);
        ::setenv("CPS_FAULT", fault, 1);
        ::setenv("CPS_FAULT_LOG", log_.c_str(), 1);
        module_.emplace(CPS_AGENT_WORKER, CPS_FAULTY_MODULE, short_deadlines);
    }
    ~Faulty() { std::filesystem::remove(log_); }

    Module& module() { return *module_; }
    Errc listing_error()
    {
        const auto listing = module_->certificates({});
        return listing ? Errc::internal : listing.error().code();
    }
    Result<pkcs11::SignOutcome> sign(std::string_view pin, CancelSignal cancel = {})
    {
        if (const auto listing = module_->certificates({}); !listing)
            return listing.error();
        return module_->sign(0, pin_of(pin), digest_info, cancel);
    }
    Errc signing_error(std::string_view pin = "1234")
    {
        const auto outcome = sign(pin);
        return outcome ? Errc::internal : outcome.error().code();
    }
    int logins() const { return noted("login"); }
    int logouts() const { return noted("logout"); }

private:
    int noted(std::string_view what) const
    {
        std::ifstream log{log_};
        int count = 0;
        for (std::string line; std::getline(log, line);)
            count += line == what ? 1 : 0;
        return count;
    }

    std::filesystem::path log_;
    std::optional<Module> module_; // its worker inherits the environment set before
};

bool alive(pid_t pid)
{
    return ::kill(pid, 0) == 0;
}

/// The most memory that a process ever had resident (proc(5), VmHWM).
long peak_kilobytes(pid_t pid)
{
    std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string word; status >> word;)
        if (long peak = 0; word == "VmHWM:" && status >> peak)
            return peak;
    FAIL("no such process");
    return 0;
}

/// One end is what a CancelSignal watches; writing to the other makes it readable.
struct CancelPipe {
    CancelPipe() { REQUIRE(::pipe(ends) == 0); }
    ~CancelPipe()
    {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    CancelSignal signal() const { return {ends[0]}; }
    void raise() const { REQUIRE(::write(ends[1], "x", 1) == 1); }
    int ends[2]{};
};

} // namespace

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

        CHECK(faulty.signing_error() == Errc::not_supported);
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

    TEST_CASE("an empty PIN, one with an octet 0 and a strange DigestInfo reach no card")
    {
        Faulty faulty{"none"};
        auto& module = faulty.module();
        REQUIRE(module.certificates({}).has_value());
        const auto pid = module.worker_pid();

        using namespace std::string_view_literals;
        CHECK(module.sign(0, Pin{}, digest_info, {}).error().code() == Errc::bad_argument);
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
                Module{worker, module};
            } catch (const Error& error) {
                return error.code();
            }
            return Errc::internal;
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
