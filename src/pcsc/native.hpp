#pragma once

#include "cps/base/error.hpp"
#include "cps/base/unique_handle.hpp"

#include <winscard.h>

namespace cps::pcsc {

// pcsc-lite's reader.h is not ISO C++; the numbers are those of PC/SC parts 3 and 10.
inline constexpr DWORD attribute_atr = 0x00090303;

struct ContextTraits {
    using type = SCARDCONTEXT;
    static constexpr type empty = 0;
    static void close(type context) noexcept { ::SCardReleaseContext(context); }
};
/// An owned SCARDCONTEXT: one connection to pcscd. One thread at a time.
using UniqueContext = UniqueHandle<ContextTraits>;

/// Errors: no_service.
Result<UniqueContext> establish() noexcept;

/// The one place where PC/SC's codes become ours. `rc` is kept as the native number.
Error error_of(LONG rc, Literal what) noexcept;

} // namespace cps::pcsc
