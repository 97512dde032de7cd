#include "cps/crypto/rsa.hpp"

#include "cps/crypto/openssl.hpp"

#include <openssl/rsa.h>

#include <algorithm>

namespace cps::crypto {
namespace {

const char* openssl_name(DigestAlgorithm algorithm) noexcept
{
    switch (algorithm) {
    case DigestAlgorithm::sha1: return "SHA1";
    case DigestAlgorithm::sha224: return "SHA224";
    case DigestAlgorithm::sha256: return "SHA256";
    case DigestAlgorithm::sha384: return "SHA384";
    case DigestAlgorithm::sha512: break;
    }
    return "SHA512";
}

bool right_size(const PublicKey& key, ByteView signature)
{
    const auto modulus = EVP_PKEY_get_size(key.native());
    return key.is_rsa() && modulus > 0 && signature.size() == static_cast<std::size_t>(modulus);
}

} // namespace

bool is_pkcs1_signature_of(const PublicKey& key, ByteView t, ByteView signature)
{
    if (!right_size(key, signature))
        return false;
    const ossl::ErrorMark mark;
    const ossl::UniquePkeyContext context{EVP_PKEY_CTX_new(key.native(), nullptr)};
    Bytes block(signature.size());
    auto size = block.size();
    if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) != 1 ||
        EVP_PKEY_encrypt(context.get(), block.data(), &size, signature.data(),
                         signature.size()) != 1 ||
        size != block.size() || t.size() + 11 > block.size())
        return false;
    Bytes wanted(block.size(), 0xFF); // 00 01 FF … FF 00 T
    wanted[0] = 0x00;
    wanted[1] = 0x01;
    wanted[wanted.size() - t.size() - 1] = 0x00;
    std::ranges::copy(t, wanted.end() - static_cast<std::ptrdiff_t>(t.size()));
    return block == wanted;
}

bool is_pss_signature_of(const PublicKey& key, DigestAlgorithm algorithm, ByteView digest,
                         ByteView signature)
{
    if (!right_size(key, signature) || digest.size() != digest_size(algorithm))
        return false;
    const ossl::ErrorMark mark;
    const auto* const hash = EVP_get_digestbyname(openssl_name(algorithm));
    const ossl::UniquePkeyContext context{EVP_PKEY_CTX_new(key.native(), nullptr)};
    return context && hash != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(context.get(), hash) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), hash) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                           digest.size()) == 1;
}

} // namespace cps::crypto
