// Other programs reset the card, or pull it, at the moments that pcscd's calls leave open.
#include "client.hpp"
#include "support/fake_machine.hpp"

#include <winscard.h>

#include <array>
#include <string_view>

using namespace cps;
using test::FakePcsc;
using test::log_in;
using test::Machine;
using test::open_session;
using test::reader_name;

namespace {

constexpr std::uint8_t verify_ins = 0x20;

CK_RV sign(CK_SESSION_HANDLE session)
{
    return test::sign(session, test::find_key(session));
}

/// A module that runs, and others who act once, after the next call of that name.
struct Others {
    explicit Others(Machine& its_machine) : machine{its_machine}
    {
        REQUIRE(C_Initialize(nullptr) == CKR_OK);
    }
    ~Others() { machine.pcsc.set_meanwhile({}); }
    Others(const Others&) = delete;
    Others& operator=(const Others&) = delete;

    void act_after(std::string_view call, std::function<void()> act)
    {
        acted = false;
        machine.pcsc.set_meanwhile([this, call, act = std::move(act)](std::string_view now) {
            if (now == call && !std::exchange(acted, true))
                act();
        });
    }
    void reset_after(std::string_view call, FakePcsc::Reset reset = FakePcsc::Reset::told)
    {
        act_after(call, [this, reset] { machine.pcsc.reset(reader_name, reset); });
    }
    Machine& machine;
    bool acted = false;
};

} // namespace

TEST_SUITE("module")
{
    TEST_CASE("a card that another program resets while we connect is known all the same")
    {
        for (const auto reset : {FakePcsc::Reset::told, FakePcsc::Reset::untold})
            for (const auto* const call :
                 {"SCardConnect", "SCardGetAttrib", "SCardBeginTransaction"}) {
                CAPTURE(call);
                Machine machine{"medecin-cps3"};
                Others others{machine};
                others.reset_after(call, reset);
                CK_SESSION_HANDLE session = 0;

                CHECK(open_session(session) == CKR_OK);
                CHECK(others.acted);
                CHECK(log_in(session) == CKR_OK);
                CHECK(sign(session) == CKR_OK);
            }
    }

    TEST_CASE("a PIN pad is found although another program resets the card meanwhile")
    {
        Machine machine{"medecin-cps3", reader_name, [](std::uint32_t, ByteView) {
                            return Bytes{0x06, 0x04, 0x42, 0x33, 0x00, 0x06};
                        }};
        Others others{machine};
        others.reset_after("SCardConnect");
        CK_TOKEN_INFO info{};

        REQUIRE(C_GetTokenInfo(0, &info) == CKR_OK);

        CHECK((info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0);
    }

    TEST_CASE("a reset between the login and the signature ends the login and no session")
    {
        Machine machine{"medecin-cps3"};
        Others others{machine};
        CK_SESSION_HANDLE session = 0;
        REQUIRE(open_session(session) == CKR_OK);
        REQUIRE(log_in(session) == CKR_OK);

        machine.pcsc.reset(reader_name);

        CHECK(sign(session) == CKR_FUNCTION_FAILED); // may succeed later
        CHECK(machine.pcsc.transactions() == 0);
        CHECK(sign(session) == CKR_KEY_HANDLE_INVALID); // it sees no private key any more
        CHECK(log_in(session) == CKR_OK);
        CHECK(sign(session) == CKR_OK);
    }

    TEST_CASE("a reset in the middle of a look at the card leaves nobody locked out")
    {
        Machine machine{"medecin-cps3"};
        Others others{machine};
        others.reset_after("SCardTransmit");
        CK_SESSION_HANDLE session = 0;

        CHECK(open_session(session) == CKR_FUNCTION_FAILED);

        CHECK(machine.pcsc.transactions() == 0);
        CHECK(open_session(session) == CKR_OK);
    }

    TEST_CASE("a card that dies under its PIN leaves no call with a dead handle")
    {
        Machine machine{"medecin-cps3"};
        Others others{machine};
        CK_SESSION_HANDLE session = 0;
        REQUIRE(open_session(session) == CKR_OK);
        bool dies = true;
        machine.dies_at = [&](ByteView command) {
            return dies && command.size() > 1 && command[1] == verify_ins;
        };

        CHECK(log_in(session) == CKR_DEVICE_ERROR);

        CHECK(machine.pcsc.strays() == 0);
        CHECK(machine.pcsc.transactions() == 0);
        dies = false;
        CHECK(log_in(session) == CKR_OK);
    }

    TEST_CASE("a card that is pulled as a transaction ends locks its successor for nobody")
    {
        Machine machine{"medecin-cps3"};
        Others others{machine};
        CK_SESSION_HANDLE session = 0;
        REQUIRE(open_session(session) == CKR_OK);
        std::array<CK_BYTE, 8> random;
        others.act_after("SCardTransmit", [&] {
            machine.pcsc.pull(reader_name, FakePcsc::Pull::while_held);
            machine.pcsc.insert(reader_name);
        });

        CHECK(C_GenerateRandom(session, random.data(), random.size()) == CKR_OK);

        CHECK(machine.pcsc.transactions() == 0);
    }

    TEST_CASE("a logout that could not reset the card says so, and of a card that is gone not")
    {
        Machine machine{"medecin-cps3"};
        Others others{machine};
        CK_SESSION_HANDLE session = 0;
        REQUIRE(open_session(session) == CKR_OK);
        REQUIRE(log_in(session) == CKR_OK);

        machine.pcsc.next_end_fails = SCARD_F_INTERNAL_ERROR;
        CHECK(C_Logout(session) == CKR_FUNCTION_FAILED);

        CHECK(machine.pcsc.transactions() == 0);
        CHECK(sign(session) == CKR_KEY_HANDLE_INVALID); // the login is over all the same
        REQUIRE(log_in(session) == CKR_OK);
        machine.pcsc.next_end_fails = SCARD_W_REMOVED_CARD;
        CHECK(C_Logout(session) == CKR_OK);
    }

    TEST_CASE("a card of another kind is refused and left to those who know it")
    {
        Machine machine{"medecin-cps3"};
        test::FakeReader other;
        other.atr = {0x3B, 0x00};
        other.answer = [](ByteView) { return Bytes{0x6D, 0x00}; };
        machine.pcsc.add(reader_name, std::move(other));
        Others others{machine};
        const auto before = machine.pcsc.open_handles();
        CK_SESSION_HANDLE session = 0;

        CHECK(open_session(session) == CKR_TOKEN_NOT_RECOGNIZED);

        CHECK(machine.pcsc.open_handles() == before);
    }
}
