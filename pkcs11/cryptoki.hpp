#pragma once

// Cryptoki 3.0 as the header of Debian's libpkcs11-helper1-dev spells it.
#include <pkcs11-helper-1.0/pkcs11.h>

#define P11_EXPORT extern "C" [[gnu::visibility("default")]]

namespace cps::p11 {

/// A Cryptoki return code on its way to the guard: for what has no Errc of its own.
struct Refusal {
    CK_RV rv;
};

} // namespace cps::p11
