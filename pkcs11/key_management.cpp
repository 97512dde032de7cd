// PKCS #11 v3.0, 5.18: key management. The keys of these cards are made by their issuer.
#include "unsupported.hpp"

using namespace cps::p11;

P11_EXPORT CK_RV C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR, CK_ATTRIBUTE_PTR,
                               CK_ULONG, CK_OBJECT_HANDLE_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR,
                                   CK_ATTRIBUTE_PTR, CK_ULONG, CK_ATTRIBUTE_PTR, CK_ULONG,
                                   CK_OBJECT_HANDLE_PTR, CK_OBJECT_HANDLE_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR, CK_OBJECT_HANDLE,
                           CK_OBJECT_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR, CK_OBJECT_HANDLE,
                             CK_BYTE_PTR, CK_ULONG, CK_ATTRIBUTE_PTR, CK_ULONG,
                             CK_OBJECT_HANDLE_PTR)
{
    return unsupported(session);
}

P11_EXPORT CK_RV C_DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR, CK_OBJECT_HANDLE,
                             CK_ATTRIBUTE_PTR, CK_ULONG, CK_OBJECT_HANDLE_PTR)
{
    return unsupported(session);
}
