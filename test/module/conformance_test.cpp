// What suites for any Cryptoki library call on a token that cannot be written: wrong handles,
// null pointers, wrong states. The answers are those of PKCS #11 v3.0.
#include "client.hpp"
#include "support/fake_machine.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

using namespace cps;
using test::find;
using test::find_key;
using test::log_in;
using test::Machine;
using test::session;

namespace {

constexpr CK_SLOT_ID no_slot = 88'888;
constexpr CK_SESSION_HANDLE no_session = 99'999;
constexpr CK_OBJECT_HANDLE no_object = 77'777;
constexpr CK_FLAGS read_only = CKF_SERIAL_SESSION;

struct Running {
    explicit Running(const char* card = "medecin-cps3") : machine{card}
    {
        REQUIRE(C_Initialize(nullptr) == CKR_OK);
    }
    Machine machine;
};

using Calls = std::vector<std::pair<const char*, std::function<CK_RV()>>>;

/// Every function that takes a session, with arguments that are good but for it.
Calls calls_on(CK_SESSION_HANDLE s)
{
    static std::array<CK_BYTE, 512> room;
    static CK_ULONG size = room.size();
    static CK_OBJECT_HANDLE object = 1;
    static CK_MECHANISM mechanism{CKM_SHA256, nullptr, 0};
    static CK_SESSION_INFO info;
    static CK_ATTRIBUTE attribute{CKA_LABEL, nullptr, 0};
    auto* const p = room.data();
    const auto with = [=](auto function, auto... rest) {
        return [=] { return function(s, rest...); };
    };
#define CPS_CALL(function, ...)                                                                \
    {                                                                                          \
#function, with(function __VA_OPT__(, ) __VA_ARGS__)                                   \
    }
    return {
        CPS_CALL(C_CloseSession),
        CPS_CALL(C_GetSessionInfo, &info),
        CPS_CALL(C_GetOperationState, p, &size),
        CPS_CALL(C_SetOperationState, p, CK_ULONG{1}, CK_OBJECT_HANDLE{0}, CK_OBJECT_HANDLE{0}),
        CPS_CALL(C_Login, CK_USER_TYPE{CKU_USER}, p, CK_ULONG{4}),
        CPS_CALL(C_LoginUser, CK_USER_TYPE{CKU_USER}, p, CK_ULONG{4}, p, CK_ULONG{0}),
        CPS_CALL(C_Logout),
        CPS_CALL(C_InitPIN, p, CK_ULONG{4}),
        CPS_CALL(C_SetPIN, p, CK_ULONG{4}, p, CK_ULONG{4}),
        CPS_CALL(C_SessionCancel, CK_FLAGS{CKF_SIGN}),
        CPS_CALL(C_CreateObject, &attribute, CK_ULONG{1}, &object),
        CPS_CALL(C_CopyObject, CK_OBJECT_HANDLE{1}, &attribute, CK_ULONG{1}, &object),
        CPS_CALL(C_DestroyObject, CK_OBJECT_HANDLE{1}),
        CPS_CALL(C_GetObjectSize, CK_OBJECT_HANDLE{1}, &size),
        CPS_CALL(C_GetAttributeValue, CK_OBJECT_HANDLE{1}, &attribute, CK_ULONG{1}),
        CPS_CALL(C_SetAttributeValue, CK_OBJECT_HANDLE{1}, &attribute, CK_ULONG{1}),
        CPS_CALL(C_FindObjectsInit, &attribute, CK_ULONG{0}),
        CPS_CALL(C_FindObjects, &object, CK_ULONG{1}, &size),
        CPS_CALL(C_FindObjectsFinal),
        CPS_CALL(C_EncryptInit, &mechanism, object),
        CPS_CALL(C_Encrypt, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_EncryptUpdate, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_EncryptFinal, p, &size),
        CPS_CALL(C_DecryptInit, &mechanism, object),
        CPS_CALL(C_Decrypt, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_DecryptUpdate, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_DecryptFinal, p, &size),
        CPS_CALL(C_DigestInit, &mechanism),
        CPS_CALL(C_Digest, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_DigestUpdate, p, CK_ULONG{1}),
        CPS_CALL(C_DigestKey, object),
        CPS_CALL(C_DigestFinal, p, &size),
        CPS_CALL(C_SignInit, &mechanism, object),
        CPS_CALL(C_Sign, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_SignUpdate, p, CK_ULONG{1}),
        CPS_CALL(C_SignFinal, p, &size),
        CPS_CALL(C_SignRecoverInit, &mechanism, object),
        CPS_CALL(C_SignRecover, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_VerifyInit, &mechanism, object),
        CPS_CALL(C_Verify, p, CK_ULONG{1}, p, CK_ULONG{1}),
        CPS_CALL(C_VerifyUpdate, p, CK_ULONG{1}),
        CPS_CALL(C_VerifyFinal, p, CK_ULONG{1}),
        CPS_CALL(C_VerifyRecoverInit, &mechanism, object),
        CPS_CALL(C_VerifyRecover, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_DigestEncryptUpdate, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_DecryptDigestUpdate, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_SignEncryptUpdate, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_DecryptVerifyUpdate, p, CK_ULONG{1}, p, &size),
        CPS_CALL(C_GenerateKey, &mechanism, &attribute, CK_ULONG{1}, &object),
        CPS_CALL(C_GenerateKeyPair, &mechanism, &attribute, CK_ULONG{1}, &attribute,
                 CK_ULONG{1}, &object, &object),
        CPS_CALL(C_WrapKey, &mechanism, object, object, p, &size),
        CPS_CALL(C_UnwrapKey, &mechanism, object, p, CK_ULONG{1}, &attribute, CK_ULONG{1},
                 &object),
        CPS_CALL(C_DeriveKey, &mechanism, object, &attribute, CK_ULONG{1}, &object),
        CPS_CALL(C_SeedRandom, p, CK_ULONG{1}),
        CPS_CALL(C_GenerateRandom, p, CK_ULONG{1}),
        CPS_CALL(C_GetFunctionStatus),
        CPS_CALL(C_CancelFunction),
        CPS_CALL(C_MessageSignInit, &mechanism, object),
        CPS_CALL(C_MessageEncryptInit, &mechanism, object),
        CPS_CALL(C_MessageDecryptInit, &mechanism, object),
        CPS_CALL(C_MessageVerifyInit, &mechanism, object),
        CPS_CALL(C_MessageSignFinal),
    };
#undef CPS_CALL
}

/// And those that take a slot.
Calls calls_on_slot(CK_SLOT_ID id)
{
    static CK_SLOT_INFO slot_info;
    static CK_TOKEN_INFO token_info;
    static CK_MECHANISM_INFO mechanism_info;
    static CK_ULONG count = 0;
    static CK_SESSION_HANDLE handle = 0;
    static std::array<CK_UTF8CHAR, 32> label{};
    return {
        {"C_GetSlotInfo", [=] { return C_GetSlotInfo(id, &slot_info); }},
        {"C_GetTokenInfo", [=] { return C_GetTokenInfo(id, &token_info); }},
        {"C_GetMechanismList", [=] { return C_GetMechanismList(id, nullptr, &count); }},
        {"C_GetMechanismInfo",
         [=] { return C_GetMechanismInfo(id, CKM_RSA_PKCS, &mechanism_info); }},
        {"C_InitToken", [=] { return C_InitToken(id, label.data(), 4, label.data()); }},
        {"C_OpenSession",
         [=] { return C_OpenSession(id, CKF_SERIAL_SESSION, nullptr, nullptr, &handle); }},
        {"C_CloseAllSessions", [=] { return C_CloseAllSessions(id); }},
    };
}

void check_all(const Calls& calls, CK_RV expected)
{
    for (const auto& [name, call] : calls) {
        CAPTURE(name);
        CHECK(call() == expected);
    }
}

} // namespace

TEST_SUITE("module")
{
    TEST_CASE("before C_Initialize every function says so")
    {
        Machine machine{"medecin-cps3"};
        CK_ULONG count = 0;
        CK_INFO info;
        CK_SLOT_ID id = 0;

        check_all(calls_on(1), CKR_CRYPTOKI_NOT_INITIALIZED);
        check_all(calls_on_slot(0), CKR_CRYPTOKI_NOT_INITIALIZED);
        CHECK(C_Finalize(nullptr) == CKR_CRYPTOKI_NOT_INITIALIZED);
        CHECK(C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED);
        CHECK(C_GetSlotList(CK_FALSE, nullptr, &count) == CKR_CRYPTOKI_NOT_INITIALIZED);
        CHECK(C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, nullptr) == CKR_CRYPTOKI_NOT_INITIALIZED);
    }

    TEST_CASE("a session or a slot that is not there is told by every function")
    {
        Running running;

        check_all(calls_on(no_session), CKR_SESSION_HANDLE_INVALID);
        check_all(calls_on(0), CKR_SESSION_HANDLE_INVALID);
        check_all(calls_on_slot(no_slot), CKR_SLOT_ID_INVALID);
    }

    TEST_CASE("the arguments of C_Initialize and C_Finalize are looked at")
    {
        Machine machine{"medecin-cps3"};
        CK_C_INITIALIZE_ARGS args{};
        args.pReserved = &args;
        CHECK(C_Initialize(&args) == CKR_ARGUMENTS_BAD);
        args.pReserved = nullptr;
        args.CreateMutex = [](void**) -> CK_RV { return CKR_OK; };
        CHECK(C_Initialize(&args) == CKR_ARGUMENTS_BAD); // one of four
        args.DestroyMutex = args.LockMutex =
            args.UnlockMutex = [](void*) -> CK_RV { return CKR_OK; };
        CHECK(C_Initialize(&args) == CKR_CANT_LOCK); // by the host's locks alone
        args.flags = CKF_OS_LOCKING_OK;
        CHECK(C_Initialize(&args) == CKR_OK);
        CHECK(C_Initialize(nullptr) == CKR_CRYPTOKI_ALREADY_INITIALIZED);
        CHECK(C_Finalize(&args) == CKR_ARGUMENTS_BAD);
        CHECK(C_Finalize(nullptr) == CKR_OK);
        CK_C_INITIALIZE_ARGS without_threads{};
        without_threads.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS;
        CHECK(C_Initialize(&without_threads) == CKR_OK);
    }

    TEST_CASE("a null pointer where a value should go is a bad argument")
    {
        Running running;
        const auto s = session();
        CK_ULONG count = 0;
        CK_SLOT_ID id = 0;

        CHECK(C_GetInfo(nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetFunctionList(nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetInterfaceList(nullptr, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetInterface(nullptr, nullptr, nullptr, 0) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetSlotList(CK_FALSE, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetSlotInfo(0, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetTokenInfo(0, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetMechanismList(0, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetMechanismInfo(0, CKM_RSA_PKCS, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_WaitForSlotEvent(CKF_DONT_BLOCK, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, &id) == CKR_ARGUMENTS_BAD);
        CHECK(C_OpenSession(0, read_only, nullptr, nullptr, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetSessionInfo(s, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_Login(s, CKU_USER, nullptr, 4) == CKR_ARGUMENTS_BAD);
        CHECK(C_SetPIN(s, nullptr, 4, nullptr, 4) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetObjectSize(s, find(s, CKO_CERTIFICATE), nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_GetAttributeValue(s, find(s, CKO_CERTIFICATE), nullptr, 1) ==
              CKR_ARGUMENTS_BAD);
        CHECK(C_GetObjectSize(s, no_object, nullptr) ==
              CKR_ARGUMENTS_BAD); // whatever the handle
        CHECK(C_GetAttributeValue(s, no_object, nullptr, 1) == CKR_ARGUMENTS_BAD);
        CHECK(C_FindObjectsInit(s, nullptr, 1) == CKR_ARGUMENTS_BAD);
        CHECK(C_FindObjectsInit(s, nullptr, 0) == CKR_OK);
        CHECK(C_FindObjects(s, nullptr, 1, &count) == CKR_ARGUMENTS_BAD);
        CHECK(C_FindObjectsFinal(s) == CKR_OK);
        CHECK(C_DigestInit(s, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_SignInit(s, nullptr, 1) == CKR_ARGUMENTS_BAD);
        CHECK(C_DecryptInit(s, nullptr, 1) == CKR_ARGUMENTS_BAD);
        CHECK(C_SeedRandom(s, nullptr, 1) == CKR_ARGUMENTS_BAD);
        CHECK(C_GenerateRandom(s, nullptr, 1) == CKR_ARGUMENTS_BAD);
        CHECK(C_GenerateRandom(s, nullptr, 0) == CKR_OK);
    }

    TEST_CASE("a private object is not there for who may not see it, and a key wants a login")
    {
        Running running;
        const auto s = session();
        REQUIRE(log_in(s) == CKR_OK);
        const auto key = find_key(s);
        REQUIRE(C_Logout(s) == CKR_OK);
        CK_ATTRIBUTE attribute{CKA_LABEL, nullptr, 0};
        CK_OBJECT_HANDLE made = 0;
        CK_ULONG size = 0;

        CHECK(C_GetAttributeValue(s, key, &attribute, 1) == CKR_OBJECT_HANDLE_INVALID);
        CHECK(C_GetObjectSize(s, key, &size) == CKR_OBJECT_HANDLE_INVALID);
        CHECK(C_DestroyObject(s, key) == CKR_OBJECT_HANDLE_INVALID);
        CHECK(C_CopyObject(s, key, nullptr, 0, &made) == CKR_OBJECT_HANDLE_INVALID);
        CHECK(C_SetAttributeValue(s, key, &attribute, 1) == CKR_OBJECT_HANDLE_INVALID);
        CK_MECHANISM sha256{CKM_SHA256, nullptr, 0};
        CK_MECHANISM rsa{CKM_RSA_PKCS, nullptr, 0};
        REQUIRE(C_DigestInit(s, &sha256) == CKR_OK);
        CHECK(C_DigestKey(s, key) == CKR_KEY_HANDLE_INVALID);
        CHECK(test::begin(s, key) == CKR_USER_NOT_LOGGED_IN);
        CHECK(C_DecryptInit(s, &rsa, key) == CKR_USER_NOT_LOGGED_IN);
        REQUIRE(log_in(s) == CKR_OK);
        CHECK(C_GetAttributeValue(s, key, &attribute, 1) == CKR_OK);
        CHECK(test::begin(s, key) == CKR_OK); // the handle serves again
    }

    TEST_CASE("what the card does not do is told as not supported")
    {
        Running running;
        const auto s = session();
        std::array<CK_BYTE, 8> seed{};

        for (const auto& [name, call] : calls_on(s)) {
            const std::string_view called{name};
            if (called.starts_with("C_Encrypt") || called.starts_with("C_Verify") ||
                called.starts_with("C_Message") || called.starts_with("C_SignRecover") ||
                called.starts_with("C_Generate") || called.ends_with("Key") ||
                called.ends_with("EncryptUpdate") || called.ends_with("DigestUpdate") ||
                called.ends_with("VerifyUpdate"))
                if (called != "C_GenerateRandom" && called != "C_DigestKey" &&
                    called != "C_DigestUpdate") {
                    CAPTURE(name);
                    CHECK(call() == CKR_FUNCTION_NOT_SUPPORTED);
                }
        }
        CHECK(C_SeedRandom(s, seed.data(), seed.size()) == CKR_RANDOM_SEED_NOT_SUPPORTED);
        CHECK(C_GetFunctionStatus(s) == CKR_FUNCTION_NOT_PARALLEL);
        CHECK(C_CancelFunction(s) == CKR_FUNCTION_NOT_PARALLEL);
    }

    TEST_CASE("lists tell their length, and a short one is refused with it")
    {
        Running running;
        CK_ULONG count = 0;
        REQUIRE(C_GetMechanismList(0, nullptr, &count) == CKR_OK);
        std::vector<CK_MECHANISM_TYPE> types(count + 3);
        CK_ULONG room = count - 1;
        CHECK(C_GetMechanismList(0, types.data(), &room) == CKR_BUFFER_TOO_SMALL);
        CHECK(room == count);
        room = count + 3;
        CHECK(C_GetMechanismList(0, types.data(), &room) == CKR_OK);
        CHECK(room == count);
        CK_MECHANISM_INFO info;
        for (CK_ULONG i = 0; i != count; ++i) {
            REQUIRE(C_GetMechanismInfo(0, types[i], &info) == CKR_OK);
            CHECK(info.ulMinKeySize <= info.ulMaxKeySize);
            CHECK(((info.flags & CKF_HW) != 0) == ((info.flags & CKF_SIGN) != 0));
        }
        CHECK(C_GetMechanismInfo(0, CKM_VENDOR_DEFINED + 1, &info) == CKR_MECHANISM_INVALID);
        CHECK(C_GetMechanismInfo(0, CKM_RSA_X_509, &info) == CKR_MECHANISM_INVALID);
        CK_SLOT_ID slot = 99;
        room = 0;
        CHECK(C_GetSlotList(CK_TRUE, &slot, &room) == CKR_BUFFER_TOO_SMALL);
        CHECK(room == 1);
        CHECK(slot == 99);
    }

    TEST_CASE("a slot event is told once")
    {
        Running running;
        CK_SLOT_ID slot = 99;

        CHECK(C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr) == CKR_NO_EVENT);
        running.machine.pcsc.pull(test::reader_name);
        CHECK(C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr) == CKR_OK);
        CHECK(slot == 0);
        CHECK(C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, nullptr) == CKR_NO_EVENT);
        check_all({{"C_GetTokenInfo", calls_on_slot(0)[1].second},
                   {"C_GetMechanismList", calls_on_slot(0)[2].second},
                   {"C_GetMechanismInfo", calls_on_slot(0)[3].second},
                   {"C_InitToken", calls_on_slot(0)[4].second},
                   {"C_OpenSession", calls_on_slot(0)[5].second}},
                  CKR_TOKEN_NOT_PRESENT);
        running.machine.pcsc.insert(test::reader_name);
        CHECK(calls_on_slot(0)[2].second() == CKR_OK); // at once, without another call before
    }

    TEST_CASE("fields are padded with blanks and flags are those of the standard")
    {
        Running running;
        CK_INFO info;
        CK_SLOT_INFO slot;
        CK_TOKEN_INFO token;
        REQUIRE(C_GetInfo(&info) == CKR_OK);
        REQUIRE(C_GetSlotInfo(0, &slot) == CKR_OK);
        REQUIRE(C_GetTokenInfo(0, &token) == CKR_OK);
        const auto padded = [](const auto& field) {
            return std::ranges::find(field, 0) == std::end(field);
        };

        CHECK(info.cryptokiVersion.major == 3);
        CHECK(info.flags == 0);
        CHECK((padded(info.manufacturerID) && padded(info.libraryDescription)));
        CHECK((padded(slot.slotDescription) && padded(slot.manufacturerID)));
        CHECK((padded(token.label) && padded(token.manufacturerID) && padded(token.model) &&
               padded(token.serialNumber)));
        CHECK(slot.flags == (CKF_TOKEN_PRESENT | CKF_REMOVABLE_DEVICE | CKF_HW_SLOT));
        CHECK(token.flags == (CKF_RNG | CKF_WRITE_PROTECTED | CKF_LOGIN_REQUIRED |
                              CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED));
        CHECK(token.ulMinPinLen == 4);
        CHECK(token.ulMaxPinLen == 4);
    }

    TEST_CASE("both interfaces are found by name and version, and no other")
    {
        CK_ULONG count = 0;
        REQUIRE(C_GetInterfaceList(nullptr, &count) == CKR_OK);
        REQUIRE(count == 2);
        std::array<CK_INTERFACE, 2> list;
        CK_ULONG room = 1;
        CHECK(C_GetInterfaceList(list.data(), &room) == CKR_BUFFER_TOO_SMALL);
        CHECK(room == 2);
        REQUIRE(C_GetInterfaceList(list.data(), &room) == CKR_OK);
        std::string standard = "PKCS 11";
        std::string vendor = "Vendor";
        const auto get = [](std::string* name, CK_VERSION* version, CK_FLAGS flags) {
            CK_INTERFACE* found = nullptr;
            const auto rv = C_GetInterface(
                name == nullptr ? nullptr : reinterpret_cast<CK_UTF8CHAR*>(name->data()),
                version, &found, flags);
            CHECK((rv == CKR_OK) == (found != nullptr));
            return found == nullptr ? nullptr : found->pFunctionList;
        };
        CK_VERSION v2{2, 40};
        CK_VERSION v3{3, 0};
        CK_VERSION v9{9, 0};
        CK_FUNCTION_LIST* functions = nullptr;
        REQUIRE(C_GetFunctionList(&functions) == CKR_OK);

        CHECK(get(nullptr, nullptr, 0) == list[0].pFunctionList);
        CHECK(get(&standard, &v3, CKF_INTERFACE_FORK_SAFE) == list[0].pFunctionList);
        CHECK(get(&standard, &v2, 0) == functions);
        CHECK(get(&standard, &v9, 0) == nullptr);
        CHECK(get(&vendor, nullptr, 0) == nullptr);
        CHECK(get(&standard, nullptr, CK_FLAGS{1} << 30) == nullptr);
    }
}
