// PKCS #11 v3.0, 5.9, 5.11, 5.13, 5.15: message-based operations.
#include "unsupported.hpp"

using namespace cps::p11;

P11_EXPORT CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR,
                                      CK_OBJECT_HANDLE)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_EncryptMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, CK_BYTE_PTR,
                                  CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG, CK_BYTE_PTR,
                                       CK_ULONG)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, CK_BYTE_PTR,
                                      CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR, CK_FLAGS)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE session)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR,
                                      CK_OBJECT_HANDLE)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_DecryptMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, CK_BYTE_PTR,
                                  CK_ULONG, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG, CK_BYTE_PTR,
                                       CK_ULONG)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, CK_BYTE_PTR,
                                      CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR, CK_FLAGS)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE session)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR,
                                   CK_OBJECT_HANDLE)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_SignMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, CK_BYTE_PTR,
                               CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_SignMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_SignMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, CK_BYTE_PTR,
                                   CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_MessageSignFinal(CK_SESSION_HANDLE session)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR,
                                     CK_OBJECT_HANDLE)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_VerifyMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, CK_BYTE_PTR,
                                 CK_ULONG, CK_BYTE_PTR, CK_ULONG)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, CK_BYTE_PTR,
                                     CK_ULONG, CK_BYTE_PTR, CK_ULONG)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE session)
{
    return unsupported(session);
}
