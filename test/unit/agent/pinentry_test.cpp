#include "pinentry.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace cps;
using namespace cps::agent;
using namespace std::chrono_literals;

namespace {

/// The scripted pinentry of test/support, with its answers.
class Scripted {
public:
    explicit Scripted(const std::string& answers)
    {
        char name[] = "/tmp/cps-pinentry-XXXXXX";
        folder_ = ::mkdtemp(name);
        std::ofstream{folder_ / "answers"} << answers;
        ::setenv("CPS_TEST_PINENTRY", folder_.c_str(), 1);
    }
    ~Scripted() { std::filesystem::remove_all(folder_); }
    Scripted(const Scripted&) = delete;
    Scripted& operator=(const Scripted&) = delete;

    Result<Pin> ask(std::chrono::milliseconds time = 20s)
    {
        return pinentry.ask_pin(dialog, cancel, std::chrono::steady_clock::now() + time);
    }
    Result<std::unique_ptr<Notice>> show()
    {
        return pinentry.show(dialog, cancel, std::chrono::steady_clock::now() + 20s);
    }
    /// Blocks until something ends the request.
    std::optional<Errc> wait_for_cancel() const
    {
        pollfd watched{cancel.fd(), POLLIN, 0};
        ::poll(&watched, 1, -1);
        return cancel.reason();
    }
    std::string shown() const
    {
        std::ifstream file{folder_ / "dialogs.jsonl"};
        return {std::istreambuf_iterator<char>{file}, {}};
    }

    Pinentry pinentry{CPS_TEST_PINENTRY_PROGRAM};
    Dialog dialog{"Titre", "Une\nligne 100 %", "Code :", "", "Accepter", "Refuser"};
    Cancel cancel;

private:
    std::filesystem::path folder_;
};

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE(
        "a PIN comes from pinentry, percent-decoded, and the dialog says what it was told")
    {
        Scripted scripted{"pin 12%2534\n"};

        const auto pin = scripted.ask();

        REQUIRE(pin.has_value());
        CHECK(text_of(pin->bytes()) == "12%34");
        CHECK(scripted.shown().find(R"("desc": "Une\nligne 100 %")") != std::string::npos);
        CHECK(scripted.shown().find(R"("keyinfo": "--clear")") != std::string::npos);
    }

    TEST_CASE("a dialog that is cancelled or times out is told apart")
    {
        Scripted scripted{"cancel\ntimeout\n"};

        CHECK(scripted.ask().error().code() == Errc::pin_cancelled);
        CHECK(scripted.ask().error().code() == Errc::pin_timeout);
    }

    TEST_CASE("a confirmation that is cancelled or denied is a refusal")
    {
        Scripted scripted{"ok\ncancel\nno\n"};
        const auto ask = [&] {
            return scripted.pinentry.confirm(scripted.dialog, scripted.cancel,
                                             std::chrono::steady_clock::now() + 20s);
        };

        CHECK(ask().has_value());
        CHECK(ask().error().code() == Errc::consent_refused);
        CHECK(ask().error().code() == Errc::consent_refused);
    }

    TEST_CASE("a dialog that nobody answers ends at the deadline")
    {
        Scripted scripted{"hang\n"};

        CHECK(scripted.ask(500ms).error().code() == Errc::pin_timeout);
    }

    TEST_CASE("a dialog ends when its request is given up")
    {
        Scripted scripted{"hang\n"};
        std::thread puller{[&] {
            std::this_thread::sleep_for(300ms);
            scripted.cancel.signal(Errc::card_removed);
        }};

        const auto pin = scripted.ask();

        puller.join();
        CHECK(pin.error().code() == Errc::cancelled);
        CHECK(scripted.cancel.reason() == Errc::card_removed);
    }

    TEST_CASE("a pinentry that dies, talks without end or says too much gives no PIN")
    {
        Scripted scripted{"crash\nflood\npin " + std::string(200, '1') + "\n"};

        CHECK(scripted.ask().error().code() == Errc::internal);
        CHECK(scripted.ask().error().code() == Errc::internal);
        CHECK(scripted.ask().error().code() == Errc::internal);
    }

    TEST_CASE("a pinentry that is not there is told")
    {
        const Cancel cancel;
        Pinentry missing{"/nonexistent/pinentry"};

        CHECK(
            missing.ask_pin({}, cancel, std::chrono::steady_clock::now() + 1s).error().code() ==
            Errc::internal);
    }

    TEST_CASE("a notice that the person closes, or that goes by itself, ends the request")
    {
        const std::pair<const char*, Errc> ends[] = {{"after 0.1 ok\n", Errc::consent_refused},
                                                     {"cancel\n", Errc::consent_refused},
                                                     {"timeout\n", Errc::pin_timeout},
                                                     {"crash\n", Errc::internal}};
        for (const auto& [answer, reason] : ends) {
            Scripted scripted{answer};

            const auto notice = scripted.show();

            REQUIRE(notice.has_value());
            CHECK(scripted.wait_for_cancel() == reason);
        }
    }

    TEST_CASE("a notice closes with its object, and that ends nothing")
    {
        Scripted scripted{"hang\n"};
        {
            const auto notice = scripted.show();
            REQUIRE(notice.has_value());
            while (scripted.shown().empty())
                std::this_thread::sleep_for(10ms);
        }

        CHECK_FALSE(scripted.cancel.reason().has_value());
        CHECK(scripted.shown().find(R"("kind": "message")") != std::string::npos);
    }

    TEST_CASE("a request that ends by itself while its notice is open keeps its reason")
    {
        Scripted scripted{"hang\n"};
        const auto notice = scripted.show();
        REQUIRE(notice.has_value());

        scripted.cancel.signal(Errc::card_removed);

        CHECK(scripted.wait_for_cancel() == Errc::card_removed);
    }

    TEST_CASE("a notice without a pinentry is told")
    {
        Cancel cancel;
        Pinentry missing{"/nonexistent/pinentry"};

        CHECK(missing.show({}, cancel, std::chrono::steady_clock::now() + 1s).error().code() ==
              Errc::internal);
    }
}
