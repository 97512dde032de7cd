// PKCS #11 v3.0, 5.20: parallel function management, which every library answers alike.
#include "module.hpp"

using namespace cps::p11;

namespace {

CK_RV not_parallel(CK_SESSION_HANDLE handle) noexcept
{
    return guarded([&] {
        const SessionCall session{handle};
        throw Refusal{CKR_FUNCTION_NOT_PARALLEL};
    });
}

} // namespace

P11_EXPORT CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE handle)
{
    return not_parallel(handle);
}

P11_EXPORT CK_RV C_CancelFunction(CK_SESSION_HANDLE handle)
{
    return not_parallel(handle);
}
