#pragma once

#include "cps/base/bytes.hpp"

#include <cstddef>

namespace cps::crypto {

/// `size` octets from OpenSSL's DRBG. @throws Error internal when it has none to give.
Bytes random_bytes(std::size_t size);

} // namespace cps::crypto
