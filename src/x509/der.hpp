#pragma once

#include "cps/base/bytes.hpp"

#include <optional>

namespace cps::x509 {

/// One element as it stands in the input (X.690, 8.1).
struct Element {
    std::uint8_t identifier = 0;
    ByteView content;
    ByteView whole; ///< identifier and length too
};

/// Takes the first element off `input`; empty where there is none with a definite length in
/// its shortest form. What is in it is not looked at.
std::optional<Element> take(ByteView& input) noexcept;
/// The same, only if its identifier octet is that one; else `input` stays as it is.
std::optional<Element> take(ByteView& input, std::uint8_t identifier) noexcept;

/// One element in the distinguished encoding and nothing after it: definite lengths in their
/// shortest form, low tag numbers, strings in one piece (X.690, 10.1 and 10.2). OpenSSL reads
/// BER, where one certificate has many spellings.
bool is_one_der_element(ByteView input) noexcept;

} // namespace cps::x509
