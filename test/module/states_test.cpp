// Sessions, logins and operations: what may follow what (PKCS #11 v3.0, 5.6, 5.7, 5.10
// to 5.14).
#include "client.hpp"
#include "support/fake_machine.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace cps;
using test::begin;
using test::find;
using test::find_key;
using test::log_in;
using test::Machine;
using test::open_session;
using test::session;

namespace {

constexpr CK_FLAGS read_only = CKF_SERIAL_SESSION;
constexpr CK_OBJECT_HANDLE no_object = 77'777;

struct Running {
    explicit Running(const char* card = "medecin-cps3") : machine{card}
    {
        REQUIRE(C_Initialize(nullptr) == CKR_OK);
    }
    Machine machine;
};

CK_RV log_in_as(CK_SESSION_HANDLE s, CK_USER_TYPE user, std::string pin)
{
    return C_Login(s, user, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size());
}

CK_STATE state(CK_SESSION_HANDLE s)
{
    CK_SESSION_INFO info{};
    REQUIRE(C_GetSessionInfo(s, &info) == CKR_OK);
    return info.state;
}

std::set<CK_OBJECT_HANDLE> all_objects(CK_SESSION_HANDLE s, CK_ULONG at_a_time)
{
    std::set<CK_OBJECT_HANDLE> all;
    std::vector<CK_OBJECT_HANDLE> found(at_a_time);
    CK_ULONG count = 0;
    REQUIRE(C_FindObjectsInit(s, nullptr, 0) == CKR_OK);
    while (C_FindObjects(s, found.data(), at_a_time, &count) == CKR_OK && count != 0)
        all.insert(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count));
    REQUIRE(C_FindObjectsFinal(s) == CKR_OK);
    return all;
}

CK_RV begin_digest(CK_SESSION_HANDLE s, CK_MECHANISM_TYPE type = CKM_SHA256)
{
    CK_MECHANISM mechanism{type, nullptr, 0};
    return C_DigestInit(s, &mechanism);
}

CK_RV begin_decrypt(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE key,
                    CK_MECHANISM_TYPE type = CKM_RSA_PKCS)
{
    CK_MECHANISM mechanism{type, nullptr, 0};
    return C_DecryptInit(s, &mechanism, key);
}

} // namespace

TEST_SUITE("module")
{
    TEST_CASE("sessions open and close by the rules")
    {
        Running running;
        CK_SESSION_HANDLE s = 0;
        CHECK(open_session(s, 0) == CKR_SESSION_PARALLEL_NOT_SUPPORTED);
        CHECK(open_session(s, CKF_RW_SESSION) == CKR_SESSION_PARALLEL_NOT_SUPPORTED);
        const auto reading = session(read_only);
        const auto writing = session();
        CHECK(state(reading) == CKS_RO_PUBLIC_SESSION);
        CHECK(state(writing) == CKS_RW_PUBLIC_SESSION);
        CK_TOKEN_INFO info;
        REQUIRE(C_GetTokenInfo(0, &info) == CKR_OK);
        CHECK(info.ulSessionCount == 2);
        CHECK(info.ulRwSessionCount == 1);
        CHECK(C_CloseSession(reading) == CKR_OK);
        CHECK(C_CloseSession(reading) == CKR_SESSION_HANDLE_INVALID);
        CHECK(C_CloseAllSessions(0) == CKR_OK);
        CHECK(C_CloseSession(writing) == CKR_SESSION_HANDLE_INVALID);
        REQUIRE(C_GetTokenInfo(0, &info) == CKR_OK);
        for (CK_ULONG i = 0; i != info.ulMaxSessionCount; ++i)
            REQUIRE(open_session(s) == CKR_OK);
        CHECK(open_session(s) == CKR_SESSION_COUNT);
    }

    TEST_CASE("a login is everybody's, and is refused where it does not fit")
    {
        Running running;
        const auto reading = session(read_only);
        const auto writing = session();

        CHECK(C_Logout(writing) == CKR_USER_NOT_LOGGED_IN);
        CHECK(log_in_as(writing, 99, "1234") == CKR_USER_TYPE_INVALID);
        CHECK(log_in_as(writing, CKU_CONTEXT_SPECIFIC, "1234") ==
              CKR_OPERATION_NOT_INITIALIZED);
        CHECK(log_in_as(writing, CKU_SO, "12345678") == CKR_SESSION_READ_ONLY_EXISTS);
        CHECK(log_in_as(writing, CKU_USER, "simply-wrong") == CKR_PIN_INCORRECT);
        CHECK(log_in(reading) == CKR_OK);
        CHECK(state(writing) == CKS_RW_USER_FUNCTIONS);
        CHECK(state(reading) == CKS_RO_USER_FUNCTIONS);
        CHECK(log_in(writing) == CKR_USER_ALREADY_LOGGED_IN);
        CHECK(C_CloseSession(reading) == CKR_OK);
        CHECK(log_in_as(writing, CKU_SO, "12345678") == CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
        CHECK(C_Logout(writing) == CKR_OK);
        CHECK(state(writing) == CKS_RW_PUBLIC_SESSION);
    }

    TEST_CASE("the security officer is alone, and has read/write sessions alone")
    {
        Running running;
        const auto s = session();
        std::string pin = "4321";
        auto* const new_pin = reinterpret_cast<CK_UTF8CHAR*>(pin.data());
        CHECK(C_InitPIN(s, new_pin, 4) == CKR_USER_NOT_LOGGED_IN);
        REQUIRE(log_in_as(s, CKU_SO, "12345678") == CKR_OK);

        CK_SESSION_HANDLE other = 0;
        CHECK(open_session(other, read_only) == CKR_SESSION_READ_WRITE_SO_EXISTS);
        CHECK(state(s) == CKS_RW_SO_FUNCTIONS);
        CHECK(log_in(s) == CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
        CHECK(find_key(s) == 0);
        CHECK(C_InitPIN(s, nullptr, 4) == CKR_ARGUMENTS_BAD);
        CHECK(C_InitPIN(s, new_pin, 3) == CKR_PIN_LEN_RANGE);
        CHECK(C_InitPIN(s, new_pin, 4) == CKR_OK);
        CHECK(C_Logout(s) == CKR_OK);
        CHECK(log_in_as(s, CKU_USER, "4321") == CKR_OK);
    }

    TEST_CASE("a PIN is changed in a read/write session alone")
    {
        Running running;
        std::string pin = "1234";
        auto* const p = reinterpret_cast<CK_UTF8CHAR*>(pin.data());

        CHECK(C_SetPIN(session(read_only), p, 4, p, 4) == CKR_SESSION_READ_ONLY);
        CHECK(C_SetPIN(session(), p, 4, p, 2) == CKR_PIN_LEN_RANGE);
        CHECK(C_SetPIN(session(), p, 2, p, 4) == CKR_PIN_INCORRECT);
    }

    TEST_CASE("nothing on the token is made, changed or destroyed")
    {
        Running running;
        const auto reading = session(read_only);
        const auto writing = session();
        const auto object = find(writing, CKO_CERTIFICATE);
        CK_OBJECT_CLASS data = CKO_DATA;
        CK_BBOOL yes = CK_TRUE;
        std::array<CK_ATTRIBUTE, 2> token_data{
            {{CKA_CLASS, &data, sizeof data}, {CKA_TOKEN, &yes, sizeof yes}}};
        CK_OBJECT_HANDLE made = 0;

        CHECK(C_CreateObject(reading, token_data.data(), 2, &made) == CKR_SESSION_READ_ONLY);
        CHECK(C_CreateObject(writing, token_data.data(), 2, &made) ==
              CKR_TOKEN_WRITE_PROTECTED);
        CHECK(C_CreateObject(writing, token_data.data(), 1, &made) ==
              CKR_FUNCTION_NOT_SUPPORTED); // a session object
        CHECK(C_CreateObject(writing, token_data.data(), 0, &made) == CKR_TEMPLATE_INCOMPLETE);
        CHECK(C_CreateObject(writing, nullptr, 2, &made) == CKR_ARGUMENTS_BAD);
        CHECK(C_CreateObject(writing, token_data.data(), 2, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_CopyObject(writing, object, nullptr, 0, nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_CopyObject(writing, object, nullptr, 1, &made) == CKR_ARGUMENTS_BAD);
        CHECK(C_CopyObject(writing, object, nullptr, 0, &made) == CKR_ACTION_PROHIBITED);
        CHECK(C_CopyObject(writing, no_object, nullptr, 0, &made) == CKR_OBJECT_HANDLE_INVALID);
        CHECK(C_SetAttributeValue(writing, object, token_data.data(), 1) ==
              CKR_ACTION_PROHIBITED);
        CHECK(C_SetAttributeValue(writing, object, nullptr, 1) == CKR_ARGUMENTS_BAD);
        CHECK(C_SetAttributeValue(reading, object, token_data.data(), 1) ==
              CKR_SESSION_READ_ONLY);
        CHECK(C_DestroyObject(writing, object) == CKR_ACTION_PROHIBITED);
        CHECK(C_DestroyObject(reading, object) == CKR_SESSION_READ_ONLY);
        CHECK(C_DestroyObject(writing, no_object) == CKR_OBJECT_HANDLE_INVALID);
        std::array<CK_UTF8CHAR, 32> label{};
        CHECK(C_InitToken(0, label.data(), 4, label.data()) == CKR_SESSION_EXISTS);
        REQUIRE(C_CloseAllSessions(0) == CKR_OK);
        CHECK(C_InitToken(0, label.data(), 4, label.data()) == CKR_TOKEN_WRITE_PROTECTED);
    }

    TEST_CASE("a search finds the same objects in any steps, and only one runs in a session")
    {
        Running running;
        const auto s = session();
        CK_OBJECT_HANDLE found = 0;
        CK_ULONG count = 0;

        CHECK(C_FindObjects(s, &found, 1, &count) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(C_FindObjectsFinal(s) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(all_objects(s, 1) == all_objects(s, 1024));
        CHECK(C_FindObjectsInit(s, nullptr, 0) == CKR_OK);
        CHECK(C_FindObjectsInit(s, nullptr, 0) == CKR_OPERATION_ACTIVE);
        CHECK(C_SessionCancel(s, 0x40) == CKR_OK); // CKF_FIND_OBJECTS
        CHECK(C_FindObjectsFinal(s) == CKR_OPERATION_NOT_INITIALIZED);
        const auto before = all_objects(s, 7);
        REQUIRE(log_in(s) == CKR_OK);
        CHECK(all_objects(s, 7).size() > before.size());
    }

    TEST_CASE("each attribute of a query is answered, whatever the others are")
    {
        Running running;
        const auto s = session();
        REQUIRE(log_in(s) == CKR_OK);
        std::array<CK_BYTE, 64> label{};
        std::array<CK_BYTE, 1> short_id{};
        CK_BBOOL is_private = CK_FALSE;
        std::array<CK_ATTRIBUTE, 6> asked{{{CKA_LABEL, label.data(), label.size()},
                                           {CKA_PRIVATE_EXPONENT, nullptr, 0},
                                           {CKA_ID, short_id.data(), short_id.size()},
                                           {999, nullptr, 0},
                                           {CKA_MODULUS, nullptr, 0},
                                           {CKA_PRIVATE, &is_private, sizeof is_private}}};

        const auto rv = C_GetAttributeValue(s, find_key(s), asked.data(), asked.size());

        CHECK((rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_BUFFER_TOO_SMALL ||
               rv == CKR_ATTRIBUTE_TYPE_INVALID));
        CHECK(asked[0].ulValueLen < label.size());
        for (const auto i : {1U, 2U, 3U})
            CHECK(asked[i].ulValueLen == CK_UNAVAILABLE_INFORMATION);
        CHECK(asked[4].ulValueLen == 256);
        CHECK(is_private == CK_TRUE);
        const auto one = [&](CK_OBJECT_HANDLE object, CK_ATTRIBUTE attribute) {
            return C_GetAttributeValue(s, object, &attribute, 1);
        };
        CHECK(one(find_key(s), {CKA_PRIVATE_EXPONENT, nullptr, 0}) == CKR_ATTRIBUTE_SENSITIVE);
        CHECK(one(find_key(s), {CKA_PRIME_1, nullptr, 0}) == CKR_ATTRIBUTE_SENSITIVE);
        CHECK(one(find_key(s), {CKA_VALUE, nullptr, 0}) == CKR_ATTRIBUTE_TYPE_INVALID);
        CHECK(one(find(s, CKO_PUBLIC_KEY), {CKA_PRIVATE_EXPONENT, nullptr, 0}) ==
              CKR_ATTRIBUTE_TYPE_INVALID);
        CHECK(one(no_object, {CKA_LABEL, nullptr, 0}) == CKR_OBJECT_HANDLE_INVALID);
        CHECK(one(0, {CKA_LABEL, nullptr, 0}) == CKR_OBJECT_HANDLE_INVALID);
        for (const auto object : all_objects(s, 100)) {
            CK_ULONG size = 0;
            CHECK(C_GetObjectSize(s, object, &size) == CKR_OK);
            CHECK(size > 0);
        }
    }

    TEST_CASE("a digest ends with its result, with an error, and not with a short buffer")
    {
        Running running;
        const auto s = session();
        std::array<CK_BYTE, 64> out{};
        std::array<CK_BYTE, 3> abc{'a', 'b', 'c'};
        CK_ULONG size = 2;
        CHECK(C_Digest(s, abc.data(), 3, out.data(), &size) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(C_DigestUpdate(s, abc.data(), 3) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(C_DigestFinal(s, out.data(), &size) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(begin_digest(s, 999) == CKR_MECHANISM_INVALID);
        CHECK(begin_digest(s, CKM_RSA_PKCS) == CKR_MECHANISM_INVALID);

        REQUIRE(begin_digest(s) == CKR_OK);
        CHECK(begin_digest(s) == CKR_OPERATION_ACTIVE);
        CHECK(C_Digest(s, abc.data(), 3, nullptr, &size) == CKR_OK);
        CHECK(size == 32);
        size = 2;
        CHECK(C_Digest(s, abc.data(), 3, out.data(), &size) == CKR_BUFFER_TOO_SMALL);
        CHECK(size == 32);
        CHECK(out[0] == 0);
        CHECK(C_Digest(s, abc.data(), 3, out.data(), &size) == CKR_OK);
        CHECK(out[0] == 0xBA);

        REQUIRE(begin_digest(s) == CKR_OK);
        CHECK(C_Digest(s, abc.data(), 3, out.data(), nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_Digest(s, abc.data(), 3, out.data(), &size) == CKR_OPERATION_NOT_INITIALIZED);

        REQUIRE(begin_digest(s) == CKR_OK);
        CHECK(C_DigestUpdate(s, abc.data(), 0) == CKR_OK);
        CHECK(C_DigestUpdate(s, abc.data(), 3) == CKR_OK);
        CHECK(C_Digest(s, abc.data(), 3, out.data(), &size) == CKR_OPERATION_ACTIVE);
        size = 1;
        CHECK(C_DigestFinal(s, out.data(), &size) == CKR_BUFFER_TOO_SMALL);
        CHECK(C_DigestFinal(s, out.data(), &size) == CKR_OK);
        CHECK(out[0] == 0xBA);

        REQUIRE(begin_digest(s) == CKR_OK);
        CHECK(C_Digest(s, abc.data(), 3, nullptr, &size) == CKR_OK);
        CHECK(C_DigestFinal(s, out.data(), &size) == CKR_OPERATION_ACTIVE);
        CHECK(C_Digest(s, abc.data(), 3, out.data(), &size) == CKR_OPERATION_NOT_INITIALIZED);

        REQUIRE(begin_digest(s) == CKR_OK);
        CHECK(C_DigestUpdate(s, nullptr, 3) == CKR_ARGUMENTS_BAD);
        CHECK(C_DigestInit(s, nullptr) == CKR_ARGUMENTS_BAD); // nothing is active any more
        REQUIRE(begin_digest(s) == CKR_OK);
        CHECK(C_DigestInit(s, nullptr) == CKR_OK);
        REQUIRE(begin_digest(s) == CKR_OK);
        CHECK(C_DigestKey(s, no_object) == CKR_KEY_HANDLE_INVALID);
        REQUIRE(begin_digest(s) == CKR_OK);
        CHECK(C_DigestKey(s, find(s, CKO_PUBLIC_KEY)) == CKR_KEY_INDIGESTIBLE);
    }

    TEST_CASE("a signature ends with its result, with an error, and not with a short buffer")
    {
        Running running;
        const auto s = session();
        std::array<CK_BYTE, 256> out;
        std::array<CK_BYTE, 3> abc{'a', 'b', 'c'};
        CK_ULONG size = out.size();
        CHECK(begin(s, 1) == CKR_USER_NOT_LOGGED_IN);
        REQUIRE(log_in(s) == CKR_OK);
        const auto key = find_key(s);
        CHECK(C_Sign(s, abc.data(), 3, out.data(), &size) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(C_SignUpdate(s, abc.data(), 3) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(C_SignFinal(s, out.data(), &size) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(begin(s, 0) == CKR_KEY_HANDLE_INVALID);
        CHECK(begin(s, no_object) == CKR_KEY_HANDLE_INVALID);
        CHECK(begin(s, find(s, CKO_CERTIFICATE)) == CKR_KEY_HANDLE_INVALID); // no key
        CHECK(begin(s, find(s, CKO_PUBLIC_KEY)) == CKR_KEY_FUNCTION_NOT_PERMITTED);
        for (const CK_MECHANISM_TYPE type : {999UL, CKM_RSA_X_509, CKM_SHA256, CKM_ECDSA})
            CHECK(begin(s, key, type) == CKR_MECHANISM_INVALID);

        REQUIRE(begin(s, key) == CKR_OK);
        CHECK(begin(s, key) == CKR_OPERATION_ACTIVE);
        CHECK(C_GetOperationState(s, out.data(), &size) == CKR_STATE_UNSAVEABLE);
        CHECK(C_Sign(s, abc.data(), 3, out.data(), nullptr) == CKR_ARGUMENTS_BAD);
        CHECK(C_Sign(s, abc.data(), 3, out.data(), &size) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(C_GetOperationState(s, out.data(), &size) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(C_SetOperationState(s, out.data(), 8, 0, 0) == CKR_SAVED_STATE_INVALID);

        REQUIRE(begin(s, key) == CKR_OK);
        CHECK(C_SignUpdate(s, abc.data(), 3) == CKR_OK);
        CHECK(C_Sign(s, abc.data(), 3, out.data(), &size) == CKR_OPERATION_ACTIVE);
        size = 255;
        CHECK(C_SignFinal(s, out.data(), &size) == CKR_BUFFER_TOO_SMALL);
        CHECK(C_SignFinal(s, out.data(), &size) == CKR_OK);
        CHECK(size == 256);

        REQUIRE(begin(s, key, CKM_RSA_PKCS) == CKR_OK);
        std::vector<CK_BYTE> long_data(246); // 256 less 11 would be the most, were it RSA alone
        CHECK(C_Sign(s, long_data.data(), long_data.size(), out.data(), &size) ==
              CKR_DATA_LEN_RANGE);
        REQUIRE(begin(s, key) == CKR_OK);
        CHECK(C_SignUpdate(s, nullptr, 1) == CKR_ARGUMENTS_BAD);
        CHECK(C_SignFinal(s, out.data(), &size) == CKR_OPERATION_NOT_INITIALIZED);
        REQUIRE(begin(s, key) == CKR_OK);
        CHECK(C_SignInit(s, nullptr, 0) == CKR_OK); // ends it
        REQUIRE(begin(s, key) == CKR_OK);
        CHECK(C_SessionCancel(s, CKF_SIGN) == CKR_OK);
        REQUIRE(begin(s, key) == CKR_OK);
        REQUIRE(C_Logout(s) == CKR_OK);
        CHECK(C_Sign(s, abc.data(), 3, out.data(), &size) == CKR_USER_NOT_LOGGED_IN);
    }

    TEST_CASE("a decryption ends with its result or with an error")
    {
        Running running;
        const auto s = session();
        REQUIRE(log_in(s) == CKR_OK);
        const auto key = find_key(s);
        std::array<CK_BYTE, 256> noise{1};
        std::array<CK_BYTE, 256> out;
        CK_ULONG size = out.size();
        const auto decrypt = [&](CK_ULONG length) {
            return C_Decrypt(s, noise.data(), length, out.data(), &size);
        };
        CHECK(decrypt(256) == CKR_OPERATION_NOT_INITIALIZED);
        CHECK(begin_decrypt(s, key, CKM_SHA256_RSA_PKCS) == CKR_MECHANISM_INVALID);
        CHECK(begin_decrypt(s, find(s, CKO_PUBLIC_KEY)) == CKR_KEY_FUNCTION_NOT_PERMITTED);
        CHECK(begin_decrypt(s, key + 1) == CKR_KEY_FUNCTION_NOT_PERMITTED); // signature key

        REQUIRE(begin_decrypt(s, key) == CKR_OK);
        CHECK(begin_decrypt(s, key) == CKR_OPERATION_ACTIVE);
        CHECK(decrypt(255) == CKR_ENCRYPTED_DATA_LEN_RANGE);
        CHECK(decrypt(256) == CKR_OPERATION_NOT_INITIALIZED);
        REQUIRE(begin_decrypt(s, key) == CKR_OK);
        CHECK(C_DecryptUpdate(s, noise.data(), 200, out.data(), &size) == CKR_OK);
        CHECK(size == 0);
        CHECK(decrypt(56) == CKR_OPERATION_ACTIVE);
        CHECK(C_DecryptUpdate(s, noise.data(), 57, out.data(), &size) ==
              CKR_ENCRYPTED_DATA_LEN_RANGE);
        CHECK(C_DecryptFinal(s, out.data(), &size) == CKR_OPERATION_NOT_INITIALIZED);
        REQUIRE(begin_decrypt(s, key) == CKR_OK);
        CHECK(C_DecryptInit(s, nullptr, 0) == CKR_OK); // ends it
    }

    TEST_CASE("random numbers of any length differ")
    {
        Running running;
        const auto s = session();
        for (const std::size_t size : {1U, 10U, 1024U, 5000U}) {
            std::vector<CK_BYTE> one(size + 1);
            std::vector<CK_BYTE> two(size + 1);
            REQUIRE(C_GenerateRandom(s, one.data(), size) == CKR_OK);
            REQUIRE(C_GenerateRandom(s, two.data(), size) == CKR_OK);
            CHECK((size == 1 || one != two));
            CHECK(one.back() == 0);
        }
    }
}
