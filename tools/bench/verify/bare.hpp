#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/clock.hpp"
#include "cps/crypto/openssl.hpp"
#include "cps/x509/certificate.hpp"

#include <string_view>

namespace cps::bench {

using UniqueStore = std::unique_ptr<X509_STORE, crypto::ossl::Deleter<X509_STORE_free>>;

/// A signature over one token, as EVP_DigestVerify wants it: nothing left to decode.
struct BareSignature {
    EVP_PKEY* key; ///< decoded; owned by someone else
    std::string_view signed_part;
    Bytes signature; ///< RSA's octets, or ECDSA's in DER
};
/// The parts of a compact JWS.
BareSignature bare_signature(std::string_view token, EVP_PKEY* key);

/// EVP_DigestVerify with SHA-256 and nothing else. @throws Error unless it is good.
void verify_bare(const BareSignature& signature);

/// What OpenSSL alone does for a certificate that it never saw: parse, chain in strict mode,
/// OCSP. One thread.
class BareTrust {
public:
    BareTrust(std::string_view trust_pem, EpochSeconds now);
    /// @throws Error unless all is good.
    void check(ByteView certificate_der, ByteView ocsp_response) const;

private:
    UniqueStore store_for(int purpose) const;

    x509::Certificate issuer_;
    std::time_t now_;
    UniqueStore cards_, responders_;
};

} // namespace cps::bench
