// PKCS #11 v3.0, 5.16: dual-function operations.
#include "unsupported.hpp"

using namespace cps::p11;

P11_EXPORT CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG,
                                       CK_BYTE_PTR, CK_ULONG_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG,
                                       CK_BYTE_PTR, CK_ULONG_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG,
                                     CK_BYTE_PTR, CK_ULONG_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG,
                                       CK_BYTE_PTR, CK_ULONG_PTR)
{
    return unsupported(session);
}
