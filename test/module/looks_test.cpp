// What it costs to know how readers and cards are at this moment.
#include "client.hpp"
#include "support/fake_machine.hpp"

#include "cps/base/own_module.hpp"

#include <array>
#include <map>
#include <string>

using namespace cps;
using test::Machine;
using test::reader_name;

namespace {

/// A module that runs, and the questions that it asks of PC/SC, by the function's name.
struct Asked {
    Asked()
    {
        REQUIRE(C_Initialize(nullptr) == CKR_OK);
        machine.pcsc.set_meanwhile(
            [this](std::string_view now) { ++questions[std::string{now}]; });
    }
    ~Asked() { machine.pcsc.set_meanwhile({}); }
    Asked(const Asked&) = delete;
    Asked& operator=(const Asked&) = delete;

    Machine machine{"medecin-cps3"};
    std::map<std::string, int> questions;
};

/// Empty where the object has none.
Bytes value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    Bytes room(4096);
    CK_ATTRIBUTE attribute{type, room.data(), room.size()};
    if (C_GetAttributeValue(session, object, &attribute, 1) != CKR_OK)
        return {};
    room.resize(attribute.ulValueLen);
    return room;
}

using Questions = std::map<std::string, int>;

} // namespace

TEST_SUITE("module")
{
    TEST_CASE("each call that looks at the readers asks two questions, and waits for nothing")
    {
        Asked asked;
        CK_SLOT_INFO slot{};
        CK_TOKEN_INFO token{};
        REQUIRE(C_GetTokenInfo(0, &token) == CKR_OK);
        std::array<CK_SLOT_ID, 4> slots{};

        for (int i = 0; i != 3; ++i) {
            asked.questions.clear();
            CHECK(C_GetSlotInfo(0, &slot) == CKR_OK);
            CHECK(C_GetTokenInfo(0, &token) == CKR_OK);
            CK_ULONG count = slots.size();
            CHECK(C_GetSlotList(CK_TRUE, slots.data(), &count) == CKR_OK);
            CHECK(asked.questions ==
                  Questions{{"SCardListReaders", 3}, {"SCardGetStatusChange", 3}});
        }

        CHECK(asked.machine.pcsc.vain_looks == 0);
    }

    TEST_CASE(
        "the module's copy of a certificate is read once, its value on the card each time")
    {
        Asked asked;
        const auto session = test::session();
        const auto certificate = test::find(session, CKO_CERTIFICATE);
        const auto copy = value(session, certificate, CKA_VALUE);
        REQUIRE(copy.size() > 1000);

        for (int i = 0; i != 2; ++i) {
            asked.questions.clear();
            CHECK(value(session, certificate, CKA_VALUE) == copy);
            CHECK(asked.questions["SCardTransmit"] == 0);
            CHECK(value(session, certificate, own_module_value_on_card) == copy);
            CHECK(asked.questions["SCardTransmit"] > 4);
        }
        CHECK(value(session, test::find(session, CKO_PUBLIC_KEY), own_module_value_on_card)
                  .empty());
    }

    TEST_CASE("a look sees what has changed since the one before")
    {
        Asked asked;
        CK_SLOT_INFO slot{};
        CK_TOKEN_INFO token{};
        REQUIRE(C_GetTokenInfo(0, &token) == CKR_OK);

        asked.machine.pcsc.pull(reader_name);
        CHECK(C_GetSlotInfo(0, &slot) == CKR_OK);
        CHECK((slot.flags & CKF_TOKEN_PRESENT) == 0);
        asked.machine.pcsc.insert(reader_name);
        CHECK(C_GetSlotInfo(0, &slot) == CKR_OK);
        CHECK((slot.flags & CKF_TOKEN_PRESENT) != 0);
        asked.machine.pcsc.pull(reader_name);
        asked.machine.pcsc.insert(reader_name); // another card, perhaps: read again
        asked.questions.clear();
        CHECK(C_GetTokenInfo(0, &token) == CKR_OK);
        CHECK(asked.questions["SCardConnect"] == 1);
    }
}
