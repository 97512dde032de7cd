#pragma once

namespace cps::crypto {

/// Makes OpenSSL load what it loads at its first digest, RSA key and signature check: some
/// milliseconds, better spent before somebody waits.
void warm_up() noexcept;

} // namespace cps::crypto
