#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

#include <memory>

namespace cps::pki {

template <auto Free>
struct FreeWith {
    template <class T>
    void operator()(T* p) const noexcept
    {
        Free(p);
    }
};

using BignumPtr = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>;
using BnCtxPtr = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;
using CertificatePtr = std::unique_ptr<X509, FreeWith<X509_free>>;
using NamePtr = std::unique_ptr<X509_NAME, FreeWith<X509_NAME_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, FreeWith<ASN1_OBJECT_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, FreeWith<ASN1_TIME_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;

/// Keys are shared: the issuer's by whatever it signs, a card's by its two certificates.
using KeyPtr = std::shared_ptr<EVP_PKEY>;

/// For calls that fail only when memory or the library does.
/// @throws Error internal with OpenSSL's own code.
template <class T>
T must(T result)
{
    if (!(result > T{}))
        throw Error{Errc::internal, "OpenSSL refused", static_cast<long>(ERR_get_error())};
    return result;
}
template <class T>
T* must(T* result)
{
    if (result == nullptr)
        throw Error{Errc::internal, "OpenSSL refused", static_cast<long>(ERR_get_error())};
    return result;
}

/// What an `i2d_…` function makes of `object`.
template <class T, class Encode>
Bytes der_of(Encode encode, T* object)
{
    Bytes out(static_cast<std::size_t>(must(encode(object, nullptr))));
    auto* cursor = out.data();
    must(encode(object, &cursor));
    return out;
}

} // namespace cps::pki
