#pragma once

#include "cps/base/clock.hpp"
#include "der.hpp"

#include <openssl/asn1.h>

#include <optional>

namespace cps::x509 {

/// Empty for no time, or one that is not a time.
std::optional<EpochSeconds> time_of(const ASN1_TIME* time);
/// A UTCTime or GeneralizedTime as RFC 5280, 4.1.2.5 wants it: to the second, in Z.
std::optional<EpochSeconds> time_of(const Element& element) noexcept;

} // namespace cps::x509
