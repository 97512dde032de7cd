// A reader that takes PINs itself, under the whole module.
#include "support/fake_machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

using namespace cps;
using test::Machine;

namespace {

constexpr std::uint32_t get_features = 0x42000D48;
constexpr std::uint32_t verify_code = 0x42330006;
constexpr std::uint32_t modify_code = 0x42330007;

/// A reader with keys: what the person would type is `typed`, then `typed_new`.
struct Pad {
    Bytes operator()(std::uint32_t code, ByteView in)
    {
        if (code == get_features)
            return {0x06, 0x04, 0x42, 0x33, 0x00, 0x06, 0x07, 0x04, 0x42, 0x33, 0x00, 0x07};
        ++entries;
        last = copy_of(in);
        if (!reader_says.empty())
            return reader_says;
        const std::size_t fixed = code == verify_code ? 19 : 24; // octets before the command
        auto command = copy_of(in.subspan(fixed));
        std::copy(typed.begin(), typed.end(), command.begin() + 5);
        if (code == modify_code)
            std::copy(typed_new.begin(), typed_new.end(), command.begin() + 5 + 8);
        return machine->card->process(command);
    }
    Machine* machine = nullptr;
    std::string typed = "1234";
    std::string typed_new = "4321";
    Bytes reader_says; // instead of asking the card
    Bytes last;
    int entries = 0;
};

struct PadMachine {
    explicit PadMachine(const char* card = "medecin-cps3",
                        const char* reader = test::reader_name)
        : machine{card, reader,
                  [this](std::uint32_t code, ByteView in) { return pad(code, in); }}
    {
        pad.machine = &machine;
        REQUIRE(C_Initialize(nullptr) == CKR_OK);
        REQUIRE(C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                              &session) == CKR_OK);
    }
    CK_FLAGS token_flags() const
    {
        CK_TOKEN_INFO info{};
        REQUIRE(C_GetTokenInfo(0, &info) == CKR_OK);
        return info.flags;
    }
    Pad pad;
    Machine machine;
    CK_SESSION_HANDLE session = 0;
};

} // namespace

TEST_SUITE("module")
{
    TEST_CASE("a PIN pad is told by a flag, and a login without a PIN asks at it")
    {
        PadMachine at;

        CHECK((at.token_flags() & CKF_PROTECTED_AUTHENTICATION_PATH) != 0);
        CHECK(C_Login(at.session, CKU_USER, nullptr, 0) == CKR_OK);
        CHECK(at.pad.entries == 1);
        // Timeouts, ASCII, block of 8, 4 to 4 digits, the key ends it, one message, French,
        // then VERIFY of eight octets FF.
        CHECK(at.pad.last == Bytes{30,   30,   0x82, 8,    0,    4,    4,    2,
                                   1,    0x0C, 4,    0,    0,    0,    0,    13,
                                   0,    0,    0,    0x00, 0x20, 0x00, 0x01, 8,
                                   0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF});
    }

    TEST_CASE("what is typed wrong at the PIN pad costs one try and is asked once")
    {
        PadMachine at;
        at.pad.typed = "9999";

        CHECK(C_Login(at.session, CKU_USER, nullptr, 0) == CKR_PIN_INCORRECT);
        CHECK(at.pad.entries == 1);
        CHECK((at.token_flags() & CKF_USER_PIN_COUNT_LOW) != 0);
    }

    TEST_CASE("an entry that is cancelled or forgotten at the PIN pad is told as cancelled")
    {
        PadMachine at;
        for (const auto& word : {Bytes{0x64, 0x00}, Bytes{0x64, 0x01}}) {
            at.pad.reader_says = word;

            CHECK(C_Login(at.session, CKU_USER, nullptr, 0) == CKR_FUNCTION_CANCELED);
        }
        CHECK((at.token_flags() & CKF_USER_PIN_COUNT_LOW) == 0);
    }

    TEST_CASE("the PIN of a CPS3 is changed at the PIN pad")
    {
        PadMachine at;

        CHECK(C_SetPIN(at.session, nullptr, 0, nullptr, 0) == CKR_OK);
        at.pad.typed = "4321";
        CHECK(C_Login(at.session, CKU_USER, nullptr, 0) == CKR_OK);
    }

    TEST_CASE("a reader that is known to lie has no PIN pad")
    {
        for (const auto* const liar :
             {"HP USB CCID Smartcard Keyboard 00 00", "Skylab USB Smartcard Keyboard 00 00",
              "Smart@Link Reader 00 00"}) {
            CAPTURE(liar);
            PadMachine at{"medecin-cps3", liar};

            CHECK((at.token_flags() & CKF_PROTECTED_AUTHENTICATION_PATH) == 0);
            CHECK(C_Login(at.session, CKU_USER, nullptr, 0) == CKR_ARGUMENTS_BAD);
            CHECK(at.pad.entries == 0);
        }
    }

    TEST_CASE("a PIN pad logs in to a CPS4 and does not change its PIN")
    {
        PadMachine at{"infirmiere-cps4"};

        CHECK(C_SetPIN(at.session, nullptr, 0, nullptr, 0) == CKR_FUNCTION_NOT_SUPPORTED);
        CHECK(at.pad.entries == 0);
        CHECK(C_Login(at.session, CKU_USER, nullptr, 0) == CKR_OK);
    }

    TEST_CASE("the PUK is typed at the PIN pad too")
    {
        PadMachine at;
        at.pad.typed = "12345678";

        CHECK(C_Login(at.session, CKU_SO, nullptr, 0) == CKR_OK);
    }
}
