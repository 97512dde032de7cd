#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

/// For src/crypto, src/x509, tools and tests alone: OpenSSL's objects as owners.
namespace cps::crypto::ossl {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const noexcept
    {
        Free(object);
    }
};
/// For what OPENSSL_malloc made; OPENSSL_free is a macro.
struct MemoryDeleter {
    void operator()(void* memory) const noexcept { OPENSSL_free(memory); }
};

using UniquePkey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using UniquePkeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using UniqueDigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using UniqueEcdsaSignature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;
using UniqueBignum = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using UniqueBio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using UniqueX509 = std::unique_ptr<X509, Deleter<X509_free>>;
using UniqueText = std::unique_ptr<char, MemoryDeleter>;
using UniqueOctets = std::unique_ptr<unsigned char, MemoryDeleter>;

/// Forgets the errors that OpenSSL queues while it lives, and none that were there before:
/// the queue belongs to the thread, and in the PKCS #11 module to the host program.
class ErrorMark {
public:
    ErrorMark() noexcept { ERR_set_mark(); }
    ErrorMark(const ErrorMark&) = delete;
    ErrorMark& operator=(const ErrorMark&) = delete;
    ~ErrorMark() { ERR_pop_to_mark(); }
};

} // namespace cps::crypto::ossl
