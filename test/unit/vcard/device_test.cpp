#include "unit/vcard/test_card.hpp"

#include "vcard/control_line.hpp"
#include "vcard/device.hpp"
#include "vcard/tlv.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include <unistd.h>

using namespace cps;
using vcard::obey;
using vcard::Timing;

namespace {

namespace fs = std::filesystem;

vcard::Device new_device(const vcard::StateFile& state = {}, Timing timing = Timing::none)
{
    const auto data = test::card_data(vcard::Generation::cps3);
    return {
        vcard::make_card(data, state.load().value_or(test::fresh_pins())), state, {}, timing};
}

std::string ask(vcard::Device& device, std::string_view command)
{
    return to_hex(device.exchange(vcard::octets_of_hex(command)).response, ' ');
}

/// A folder of this test's own.
class Folder {
public:
    Folder()
        : path_{fs::temp_directory_path() / ("cps-vcard-test-" + std::to_string(::getpid()))}
    {
        fs::create_directory(path_);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }
    fs::path operator/(const char* name) const { return path_ / name; }

private:
    fs::path path_;
};

constexpr auto status = "00 20 00 01 00";
constexpr auto wrong_pin = "00 20 00 01 08 39 39 39 39 FF FF FF FF";
constexpr auto right_pin = "00 20 00 01 08 31 32 33 34 FF FF FF FF";

} // namespace

TEST_SUITE("vcard")
{
    TEST_CASE("a failure that was ordered hits the next commands, which are not run")
    {
        auto device = new_device();

        CHECK(obey(device, "fail 6F00 2") == "ok");

        CHECK(ask(device, wrong_pin) == "6F 00");
        CHECK(ask(device, wrong_pin) == "6F 00");
        CHECK(ask(device, status) == "63 C3");
        CHECK(obey(device, "status").find("failed=2") != std::string::npos);
    }

    TEST_CASE("an answer that was to be cut is cut once")
    {
        auto device = new_device();
        CHECK(obey(device, "truncate 1") == "ok");

        CHECK(ask(device, status) == "63");
        CHECK(ask(device, status) == "63 C3");
    }

    TEST_CASE("a delay lasts until it is set to 0")
    {
        auto device = new_device();
        CHECK(obey(device, "delay 250") == "ok");
        CHECK(device.exchange(vcard::octets_of_hex(status)).delay.count() == 250'000);
        CHECK(obey(device, "delay 0") == "ok");
        CHECK(device.exchange(vcard::octets_of_hex(status)).delay.count() == 0);
    }

    TEST_CASE("reset and removal forget the PIN and end muteness")
    {
        auto device = new_device();
        for (const auto* order : {"reset", "remove"}) {
            REQUIRE(ask(device, right_pin) == "90 00");
            CHECK(obey(device, "mute") == "ok");
            CHECK(device.mute());
            CHECK(obey(device, order) == "ok");
            CHECK_FALSE(device.mute());
            CHECK(ask(device, status) == "63 C3");
        }
        CHECK_FALSE(device.inserted());
        CHECK(obey(device, "insert") == "ok");
        CHECK(device.inserted());
    }

    TEST_CASE("the reader's off, on and reset forget the PIN, and nothing else does")
    {
        auto device = new_device();
        for (std::uint8_t control = 0; control != 3; ++control) {
            REQUIRE(ask(device, right_pin) == "90 00");
            device.control_power(control);
            CHECK(ask(device, status) == "63 C3");
        }
        REQUIRE(ask(device, right_pin) == "90 00");
        device.control_power(7);
        CHECK(ask(device, status) == "90 00");
        device.set_connected(false);
        CHECK(ask(device, status) == "63 C3");
    }

    TEST_CASE("an order that makes no sense is refused and changes nothing")
    {
        auto device = new_device();
        const auto before = device.status();
        for (const auto* order :
             {"", " ", "explode", "insert now", "delay", "delay x", "delay -1", "delay 60001",
              "fail", "fail 6F", "fail 6F00 0x2", "fail 6F00 1 2", "truncate 259", "INSERT"}) {
            CAPTURE(order);
            CHECK(obey(device, order).starts_with("error "));
        }
        CHECK(device.status() == before);
    }

    TEST_CASE("codes and counters outlive the process in the state file, for its owner alone")
    {
        const Folder folder;
        const vcard::StateFile state{folder / "state"};
        CHECK_FALSE(state.load());
        {
            auto device = new_device(state);
            ask(device, wrong_pin);
            ask(device, "00 24 00 01 10 31 32 33 34 FF FF FF FF 34 33 32 31 FF FF FF FF");
            ask(device, wrong_pin);
        }

        auto device = new_device(state);
        CHECK(ask(device, status) == "63 C2");
        CHECK(ask(device, "00 20 00 01 08 34 33 32 31 FF FF FF FF") == "90 00");
        CHECK(obey(device, "block") == "ok");
        CHECK(state.load()->pin_tries == 0);
        CHECK(fs::status(folder / "state").permissions() ==
              (fs::perms::owner_read | fs::perms::owner_write));
    }

    TEST_CASE("a state file that is wrong is refused, not repaired")
    {
        const Folder folder;
        const vcard::StateFile state{folder / "state"};
        for (const auto* content :
             {"pin = ", "", "pin = \"31323334FFFFFFFF\"\n",
              "pin = \"31323334FFFFFFFF\"\npuk = \"3132333435363738\"\npin_tries = 4\n"
              "puk_tries = 10\npuk_uses = 100\n"}) {
            std::ofstream{folder / "state"} << content;
            CAPTURE(content);
            CHECK_THROWS_AS(state.load(), Error);
        }
    }

    TEST_CASE("the APDU log shows every octet but the digits of a code")
    {
        const auto line = [](std::string_view command) {
            return vcard::log_line_of_command(vcard::octets_of_hex(command));
        };

        CHECK(line(right_pin) == "> 00 20 00 01 08 2A 2A 2A 2A FF FF FF FF");
        CHECK(line("01 2C 02 01 08 34 33 32 31 FF FF FF FF") ==
              "> 01 2C 02 01 08 2A 2A 2A 2A FF FF FF FF");
        CHECK(line("00 A4 09 04 04 3F 00 30 31") == "> 00 A4 09 04 04 3F 00 30 31");
        CHECK(line(status) == "> 00 20 00 01 00");
        CHECK(vcard::log_line_of_response(vcard::octets_of_hex("63C3")) == "< 63 C3");
        CHECK(vcard::log_line_of_control(1) == "-- ctrl 1 (on)");
    }

    TEST_CASE("the timing of a CPS3 counts characters and half a second for a private key")
    {
        const auto ok = vcard::octets_of_hex("9000");
        const auto time = [&](std::string_view command, ByteView answer) {
            return vcard::exchange_time(Timing::cps3, vcard::octets_of_hex(command), answer)
                .count();
        };

        CHECK(vcard::exchange_time(Timing::none, ok, ok).count() == 0);
        CHECK(time(status, ok) == 5'000 + (5 + 2 + 1) * 12 * 93);
        CHECK(time("00 B0 00 00 00", Bytes(258)) == 5'000 + (5 + 258 + 1) * 12 * 93);
        CHECK(time("00 2A 9E 9A 00", vcard::octets_of_hex("6100")) > 500'000);
        CHECK(time("00 2A 9E 9A 00", vcard::octets_of_hex("6982")) < 500'000);
        CHECK(time("00 2A 90 A0 01 90", ok) < 500'000);
        CHECK(time("10 2A 80 86 01 AA", ok) < 500'000);
    }
}
