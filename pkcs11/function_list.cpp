#include "function_list.hpp"

#include <array>
#include <cstring>

namespace cps::p11 {
namespace {

// Both lists in the order of the header's structures, which the compiler checks by the types.
#define CPS_CRYPTOKI_2_40                                                                      \
    C_Initialize, C_Finalize, C_GetInfo, C_GetFunctionList, C_GetSlotList, C_GetSlotInfo,      \
        C_GetTokenInfo, C_GetMechanismList, C_GetMechanismInfo, C_InitToken, C_InitPIN,        \
        C_SetPIN, C_OpenSession, C_CloseSession, C_CloseAllSessions, C_GetSessionInfo,         \
        C_GetOperationState, C_SetOperationState, C_Login, C_Logout, C_CreateObject,           \
        C_CopyObject, C_DestroyObject, C_GetObjectSize, C_GetAttributeValue,                   \
        C_SetAttributeValue, C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal,             \
        C_EncryptInit, C_Encrypt, C_EncryptUpdate, C_EncryptFinal, C_DecryptInit, C_Decrypt,   \
        C_DecryptUpdate, C_DecryptFinal, C_DigestInit, C_Digest, C_DigestUpdate, C_DigestKey,  \
        C_DigestFinal, C_SignInit, C_Sign, C_SignUpdate, C_SignFinal, C_SignRecoverInit,       \
        C_SignRecover, C_VerifyInit, C_Verify, C_VerifyUpdate, C_VerifyFinal,                  \
        C_VerifyRecoverInit, C_VerifyRecover, C_DigestEncryptUpdate, C_DecryptDigestUpdate,    \
        C_SignEncryptUpdate, C_DecryptVerifyUpdate, C_GenerateKey, C_GenerateKeyPair,          \
        C_WrapKey, C_UnwrapKey, C_DeriveKey, C_SeedRandom, C_GenerateRandom,                   \
        C_GetFunctionStatus, C_CancelFunction, C_WaitForSlotEvent

constinit CK_FUNCTION_LIST list_2_40 = {{2, 40}, CPS_CRYPTOKI_2_40};

constinit CK_FUNCTION_LIST_3_0 list_3_0 = {{3, 0},
                                           CPS_CRYPTOKI_2_40,
                                           C_GetInterfaceList,
                                           C_GetInterface,
                                           C_LoginUser,
                                           C_SessionCancel,
                                           C_MessageEncryptInit,
                                           C_EncryptMessage,
                                           C_EncryptMessageBegin,
                                           C_EncryptMessageNext,
                                           C_MessageEncryptFinal,
                                           C_MessageDecryptInit,
                                           C_DecryptMessage,
                                           C_DecryptMessageBegin,
                                           C_DecryptMessageNext,
                                           C_MessageDecryptFinal,
                                           C_MessageSignInit,
                                           C_SignMessage,
                                           C_SignMessageBegin,
                                           C_SignMessageNext,
                                           C_MessageSignFinal,
                                           C_MessageVerifyInit,
                                           C_VerifyMessage,
                                           C_VerifyMessageBegin,
                                           C_VerifyMessageNext,
                                           C_MessageVerifyFinal};

constinit char standard_name[] = "PKCS 11";
// Fork-safe: a child's calls are refused until its own C_Initialize, which succeeds.
constinit std::array<CK_INTERFACE, 2> known{{
    {standard_name, &list_3_0, CKF_INTERFACE_FORK_SAFE},
    {standard_name, &list_2_40, CKF_INTERFACE_FORK_SAFE},
}};

} // namespace

CK_FUNCTION_LIST_PTR function_list_2_40() noexcept
{
    return &list_2_40;
}

std::span<CK_INTERFACE> interfaces() noexcept
{
    return known;
}

CK_INTERFACE* find_interface(const CK_UTF8CHAR* name, const CK_VERSION* version,
                             CK_FLAGS flags) noexcept
{
    for (auto& interface : known) {
        CK_VERSION its{}; // every function list begins with its version
        std::memcpy(&its, interface.pFunctionList, sizeof its);
        const bool named = name == nullptr || std::strcmp(reinterpret_cast<const char*>(name),
                                                          interface.pInterfaceName) == 0;
        const bool versioned =
            version == nullptr || (version->major == its.major && version->minor == its.minor);
        if (named && versioned && (flags & ~interface.flags) == 0)
            return &interface;
    }
    return nullptr;
}

} // namespace cps::p11
