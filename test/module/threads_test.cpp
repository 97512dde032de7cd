// The whole module in one program, over a virtual card without a service: many threads, and
// many lives. Built with -Db_sanitize=thread or address it is what finds races and leaks.
#include "support/fake_pcsc.hpp"
#include "vcard/card.hpp"
#include "vcard/card_data.hpp"

#include "cryptoki.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

using namespace cps;

namespace {

constexpr int thread_count = 8;
constexpr int operations = 1000; // of each thread
constexpr int lives = 1000;
constexpr auto reader_name = "Fake Reader 00 00";

std::filesystem::path card_directory(const char* name)
{
    const char* const pki = std::getenv("CPS_TEST_PKI");
    return std::filesystem::path{pki != nullptr ? pki : "."} / "cards" / name;
}

/// A virtual card in a fake reader, and the module's configuration in an empty place.
struct Machine {
    ~Machine() { C_Finalize(nullptr); } // where a test has failed in the middle
    explicit Machine(const char* name)
        : card{vcard::make_card(
              vcard::read_card_directory(card_directory(name)),
              {vcard::padded_code("1234", 4), vcard::padded_code("12345678", 8)})}
    {
        ::setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
        ::setenv("XDG_CACHE_HOME", "/nonexistent", 1);
        pcsc.add(reader_name, {copy_of(card->atr()),
                               true,
                               [this](ByteView command) { return card->process(command); },
                               [this] { card->reset(); },
                               {}});
    }
    std::unique_ptr<vcard::Card> card;
    test::FakePcsc pcsc;
};

CK_SESSION_HANDLE open_session()
{
    CK_SESSION_HANDLE session = 0;
    REQUIRE(C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) ==
            CKR_OK);
    return session;
}

CK_RV log_in(CK_SESSION_HANDLE session)
{
    std::array<CK_UTF8CHAR, 4> pin{'1', '2', '3', '4'};
    return C_Login(session, CKU_USER, pin.data(), pin.size());
}

CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS wanted = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE attribute{CKA_CLASS, &wanted, sizeof wanted};
    CK_OBJECT_HANDLE key = 0;
    CK_ULONG count = 0;
    if (C_FindObjectsInit(session, &attribute, 1) != CKR_OK)
        return 0;
    C_FindObjects(session, &key, 1, &count);
    C_FindObjectsFinal(session);
    return key;
}

CK_RV sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism{CKM_SHA256_RSA_PKCS, nullptr, 0};
    std::array<CK_BYTE, 5> message{'h', 'e', 'l', 'l', 'o'};
    std::array<CK_BYTE, 256> signature;
    CK_ULONG size = signature.size();
    if (const auto rv = C_SignInit(session, &mechanism, key); rv != CKR_OK)
        return rv;
    return C_Sign(session, message.data(), message.size(), signature.data(), &size);
}

/// One of what clients do. Signing is the dearest, so it comes once in ten.
CK_RV operate(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, int number)
{
    std::array<CK_BYTE, 4096> room;
    switch (number % 10) {
    case 0: return sign(session, key);
    case 1: return C_GenerateRandom(session, room.data(), 8);
    case 2: return find_key(session) == key ? CKR_OK : CKR_GENERAL_ERROR;
    case 3: {
        CK_TOKEN_INFO info;
        return C_GetTokenInfo(0, &info);
    }
    case 4: {
        CK_SLOT_INFO info;
        return C_GetSlotInfo(0, &info);
    }
    case 5: {
        CK_ATTRIBUTE modulus{CKA_MODULUS, room.data(), room.size()};
        return C_GetAttributeValue(session, key, &modulus, 1);
    }
    case 6: {
        CK_MECHANISM mechanism{CKM_SHA256, nullptr, 0};
        CK_ULONG size = room.size();
        const auto rv = C_DigestInit(session, &mechanism);
        return rv != CKR_OK ? rv : C_Digest(session, room.data(), 0, room.data(), &size);
    }
    case 7: {
        CK_SESSION_INFO info;
        return C_GetSessionInfo(session, &info);
    }
    case 8: {
        CK_ULONG count = 0;
        return C_GetSlotList(CK_TRUE, nullptr, &count);
    }
    default: {
        CK_SESSION_HANDLE other = 0;
        const auto rv = C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &other);
        return rv != CKR_OK ? rv : C_CloseSession(other);
    }
    }
}

} // namespace

TEST_SUITE("module")
{
    TEST_CASE("8 threads of 1000 operations each do not disturb each other")
    {
        Machine machine{"medecin-cps3"};
        REQUIRE(C_Initialize(nullptr) == CKR_OK);
        const auto main_session = open_session();
        REQUIRE(log_in(main_session) == CKR_OK);
        const auto key = find_key(main_session);
        std::atomic<int> failures = 0;
        std::atomic<CK_RV> first = CKR_OK;

        std::vector<std::thread> threads;
        for (int t = 0; t != thread_count; ++t)
            threads.emplace_back([&, t] {
                CK_SESSION_HANDLE session = 0;
                C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &session);
                for (int i = 0; i != operations; ++i)
                    if (const auto rv = operate(session, key, i + t); rv != CKR_OK) {
                        ++failures;
                        first = rv;
                    }
                C_CloseSession(session);
            });
        for (auto& thread : threads)
            thread.join();

        CAPTURE(first.load());
        CHECK(failures == 0);
        CHECK(C_Finalize(nullptr) == CKR_OK);
        CHECK(machine.pcsc.transactions() == 0);
        CHECK(machine.pcsc.open_handles() == 0);
    }

    TEST_CASE("the module lives 1000 times and leaves nothing behind")
    {
        Machine machine{"infirmiere-cps4"};

        for (int life = 0; life != lives; ++life) {
            REQUIRE(C_Initialize(nullptr) == CKR_OK);
            const auto session = open_session();
            REQUIRE(find_key(session) == 0);
            if (life % 100 == 0) {
                REQUIRE(log_in(session) == CKR_OK);
                REQUIRE(sign(session, find_key(session)) == CKR_OK);
            }
            REQUIRE(C_Finalize(nullptr) == CKR_OK);
        }

        CHECK(machine.pcsc.open_handles() == 0);
    }

    TEST_CASE("a card that is pulled under eight threads crashes none of them")
    {
        Machine machine{"medecin-cps3"};
        REQUIRE(C_Initialize(nullptr) == CKR_OK);
        std::atomic<bool> stop = false;
        std::vector<std::thread> threads;
        for (int t = 0; t != thread_count; ++t)
            threads.emplace_back([&] {
                for (int i = 0; !stop; ++i) {
                    CK_SESSION_HANDLE session = 0;
                    if (C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &session) !=
                        CKR_OK)
                        continue;
                    log_in(session);
                    operate(session, 1, i);
                    C_CloseSession(session);
                }
            });

        for (int i = 0; i != 20; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
            machine.pcsc.pull(reader_name);
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
            machine.pcsc.insert(reader_name);
        }
        stop = true;
        for (auto& thread : threads)
            thread.join();

        const auto session = open_session();
        CHECK(log_in(session) == CKR_OK);
        CHECK(sign(session, find_key(session)) == CKR_OK);
        CHECK(C_Finalize(nullptr) == CKR_OK);
        CHECK(machine.pcsc.open_handles() == 0);
    }
}
