// The whole module in one program, over a virtual card without a service: many threads, and
// many lives. Built with -Db_sanitize=thread or address it is what finds races and leaks.
#include "client.hpp"
#include "support/fake_machine.hpp"

#include <array>
#include <atomic>
#include <thread>
#include <vector>

using namespace cps;
using test::find_key;
using test::log_in;
using test::Machine;
using test::reader_name;
using test::sign;

namespace {

constexpr int thread_count = 8;
constexpr int operations = 1000; // of each thread
constexpr int lives = 1000;

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
        const auto main_session = test::session();
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
            const auto session = test::session();
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

        const auto session = test::session();
        CHECK(log_in(session) == CKR_OK);
        CHECK(sign(session, find_key(session)) == CKR_OK);
        CHECK(C_Finalize(nullptr) == CKR_OK);
        CHECK(machine.pcsc.open_handles() == 0);
    }
}
