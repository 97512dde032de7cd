// PKCS #11 v3.0, 5.8: encryption. The card has no secret keys, and public ones are for the
// host.
#include "unsupported.hpp"

using namespace cps::p11;

P11_EXPORT CK_RV C_EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR, CK_OBJECT_HANDLE)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_Encrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,
                           CK_ULONG_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR,
                                 CK_ULONG_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR, CK_ULONG_PTR)
{
    return unsupported(session);
}
