#pragma once

#include "cps/x509/certificate.hpp"

/// A certification authority whose key everybody knows, so that what a fuzzer makes up passes
/// the signature and reaches the code behind it.
namespace cps::fuzz {

inline constexpr auto authority_time = epoch_seconds(1'790'000'000); // 2026-09-21

const x509::Certificate& authority();
/// A card's certificate under it, with every extension that we read.
const x509::Certificate& card();

/// A CRL, or an OCSPResponse, around octets that stand where the signed part does.
Bytes crl_around(ByteView tbs);
Bytes ocsp_around(ByteView tbs);

} // namespace cps::fuzz
