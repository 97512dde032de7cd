#pragma once

#include "cps/base/bytes.hpp"

namespace cps::x509 {

/// One element in the distinguished encoding and nothing after it: definite lengths in their
/// shortest form, low tag numbers, strings in one piece (X.690, 10.1 and 10.2). OpenSSL reads
/// BER, where one certificate has many spellings.
bool is_one_der_element(ByteView input) noexcept;

} // namespace cps::x509
