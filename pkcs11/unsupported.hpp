#pragma once

#include "module.hpp"

namespace cps::p11 {

/// For what no card of ours does: says so, to those who may ask.
inline CK_RV unsupported(CK_SESSION_HANDLE session) noexcept
{
    return guarded([&] {
        const SessionCall call{session};
        throw Refusal{CKR_FUNCTION_NOT_SUPPORTED};
    });
}

} // namespace cps::p11
