#pragma once

#include "pki/openssl.hpp"

#include <string>
#include <vector>

namespace cps::pki {

/// One attribute of a name. `type` is OpenSSL's short name: C, O, OU, CN, SN, GN, title.
struct Attribute {
    std::string type;
    std::string value; ///< UTF-8
};

/// RDNs in the order of the encoding, each with one value or more.
using DistinguishedName = std::vector<std::vector<Attribute>>;

/// Countries become PrintableString, everything else UTF8String, as IGC-Santé does. OpenSSL
/// puts the values of one RDN in DER's order (SET OF: X.690, 11.6) when it encodes them.
NamePtr to_openssl(const DistinguishedName& name);

} // namespace cps::pki
