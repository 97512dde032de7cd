#include "cps/crypto/hasher.hpp"

#include "cps/base/error.hpp"

#include <openssl/evp.h>

namespace cps::crypto {
namespace {

const EVP_MD* native(DigestAlgorithm algorithm) noexcept
{
    switch (algorithm) {
    case DigestAlgorithm::sha1: return EVP_sha1();
    case DigestAlgorithm::sha224: return EVP_sha224();
    case DigestAlgorithm::sha256: return EVP_sha256();
    case DigestAlgorithm::sha384: return EVP_sha384();
    case DigestAlgorithm::sha512: break;
    }
    return EVP_sha512();
}

} // namespace

void Hasher::Free::operator()(evp_md_ctx_st* context) const noexcept
{
    EVP_MD_CTX_free(context);
}

Hasher::Hasher(DigestAlgorithm algorithm) : algorithm_{algorithm}, context_{EVP_MD_CTX_new()}
{
    if (!context_ || EVP_DigestInit_ex(context_.get(), native(algorithm), nullptr) != 1)
        throw Error{Errc::internal, "OpenSSL cannot compute this digest"};
}

void Hasher::update(ByteView data)
{
    if (EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1)
        throw Error{Errc::internal, "OpenSSL cannot compute this digest"};
}

Bytes Hasher::finish()
{
    Bytes value(digest_size(algorithm_));
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context_.get(), value.data(), &size) != 1 || size != value.size())
        throw Error{Errc::internal, "OpenSSL cannot compute this digest"};
    return value;
}

} // namespace cps::crypto
