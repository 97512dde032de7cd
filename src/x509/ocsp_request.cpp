#include "cps/crypto/openssl.hpp"
#include "cps/crypto/random.hpp"
#include "cps/x509/ocsp.hpp"

#include <openssl/ocsp.h>

namespace cps::x509 {
namespace {

namespace ossl = crypto::ossl;
using UniqueRequest = std::unique_ptr<OCSP_REQUEST, ossl::Deleter<OCSP_REQUEST_free>>;
using UniqueId = std::unique_ptr<OCSP_CERTID, ossl::Deleter<OCSP_CERTID_free>>;

[[noreturn]] void refused()
{
    throw Error{Errc::internal, "OpenSSL cannot make an OCSP request"};
}

} // namespace

OcspRequest OcspRequest::about(const Certificate& certificate, const Certificate& issuer,
                               IssuerHash hash, Nonce nonce)
{
    const ossl::ErrorMark mark;
    const auto* digest = hash == IssuerHash::sha1 ? EVP_sha1() : EVP_sha256();
    UniqueId id{OCSP_cert_to_id(digest, certificate.native(), issuer.native())};
    const UniqueRequest request{OCSP_REQUEST_new()};
    if (!id || !request || OCSP_request_add0_id(request.get(), id.get()) == nullptr)
        refused();
    (void)id.release(); // the request owns it now

    OcspRequest made;
    if (nonce == Nonce::with) {
        made.nonce_ = crypto::random_bytes(ocsp_nonce_size);
        if (OCSP_request_add1_nonce(request.get(), made.nonce_.data(),
                                    static_cast<int>(made.nonce_.size())) != 1)
            refused();
    }
    unsigned char* raw = nullptr;
    const auto size = i2d_OCSP_REQUEST(request.get(), &raw);
    const ossl::UniqueOctets owned{raw};
    if (size <= 0)
        refused();
    made.der_.assign(raw, raw + size);
    return made;
}

} // namespace cps::x509
