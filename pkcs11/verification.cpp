// PKCS #11 v3.0, 5.14: checking signatures, which needs no card.
#include "unsupported.hpp"

using namespace cps::p11;

P11_EXPORT CK_RV C_VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_Verify(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,
                          CK_ULONG)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_VerifyFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR,
                                     CK_OBJECT_HANDLE)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_VerifyRecover(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,
                                 CK_ULONG_PTR)
{
    return unsupported(session);
}
