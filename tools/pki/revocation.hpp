#pragma once

#include "pki/certificate.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cps::pki {

/// What the issuing CA remembers of one certificate.
struct IndexEntry {
    std::string serial; ///< upper-case hexadecimal
    EpochSeconds not_after;
    std::optional<EpochSeconds> revoked_at; ///< with reason keyCompromise
    std::string subject;                    ///< one line, for people
};
using Index = std::vector<IndexEntry>;

IndexEntry index_entry(const Authority& leaf, std::optional<EpochSeconds> revoked_at);

/// `index.txt` as `openssl ca` and `openssl ocsp` know it.
std::string to_text(const Index& index);
/// @throws Error malformed_input.
Index parse_index(std::string_view text);

/// A complete CRL (RFC 5280, 5), DER. Its CRLNumber is `this_update` in seconds, which grows.
Bytes crl(const Authority& issuer, const Index& index, EpochSeconds this_update,
          EpochSeconds next_update);

/// The DER OCSPResponse (RFC 6960, 4.2.1) to a DER request about the issuer's certificates;
/// the nonce is echoed; malformedRequest for what is not a request.
Bytes ocsp_answer(ByteView request, const Authority& issuer, const Authority& responder,
                  const Index& index, EpochSeconds now);

} // namespace cps::pki
