#pragma once

#include "cryptoki.hpp"

#include "cps/base/bytes.hpp"

#include <doctest/doctest.h>

#include <array>

namespace cps::test {

/// What a program that uses the module does first, in few words.
inline CK_RV open_session(CK_SESSION_HANDLE& session,
                          CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION)
{
    return C_OpenSession(0, flags, nullptr, nullptr, &session);
}

inline CK_SESSION_HANDLE session(CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION)
{
    CK_SESSION_HANDLE opened = 0;
    REQUIRE(open_session(opened, flags) == CKR_OK);
    return opened;
}

inline CK_RV log_in(CK_SESSION_HANDLE session)
{
    std::array<CK_UTF8CHAR, 4> pin{'1', '2', '3', '4'};
    return C_Login(session, CKU_USER, pin.data(), pin.size());
}

/// The first object of that class; 0 for none.
inline CK_OBJECT_HANDLE find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS wanted)
{
    CK_ATTRIBUTE attribute{CKA_CLASS, &wanted, sizeof wanted};
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    if (C_FindObjectsInit(session, &attribute, 1) != CKR_OK)
        return 0;
    C_FindObjects(session, &found, 1, &count);
    C_FindObjectsFinal(session);
    return found;
}

inline CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session)
{
    return find(session, CKO_PRIVATE_KEY);
}

inline CK_RV begin(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                   CK_MECHANISM_TYPE type = CKM_SHA256_RSA_PKCS)
{
    CK_MECHANISM mechanism{type, nullptr, 0};
    return C_SignInit(session, &mechanism, key);
}

inline CK_RV sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    if (const auto rv = begin(session, key); rv != CKR_OK)
        return rv;
    std::array<CK_BYTE, 5> message{'h', 'e', 'l', 'l', 'o'};
    std::array<CK_BYTE, 256> signature;
    CK_ULONG size = signature.size();
    return C_Sign(session, message.data(), message.size(), signature.data(), &size);
}

} // namespace cps::test
