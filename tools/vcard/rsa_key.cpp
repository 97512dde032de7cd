#include "vcard/rsa_key.hpp"

#include "cps/base/error.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

namespace cps::vcard {

namespace {

struct FreeBio {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct FreeContext {
    void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, FreeContext>;

constexpr std::size_t padding_overhead = 11; // 00 01 or 02, eight octets, 00

const EVP_MD* evp(Hash hash) noexcept
{
    return hash == Hash::sha1 ? EVP_sha1() : EVP_sha256();
}

Context context_of(EVP_PKEY* key)
{
    Context context{EVP_PKEY_CTX_new(key, nullptr)};
    if (!context)
        throw std::bad_alloc{};
    return context;
}

/// A context ready to sign with `padding`; a null `md` means the input is padded as it is.
Context signing_context(EVP_PKEY* key, int padding, const EVP_MD* md)
{
    auto context = context_of(key);
    const bool ready =
        EVP_PKEY_sign_init(context.get()) > 0 &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) > 0 &&
        (md == nullptr || EVP_PKEY_CTX_set_signature_md(context.get(), md) > 0) &&
        (padding != RSA_PKCS1_PSS_PADDING ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) > 0);
    if (!ready)
        throw Error{Errc::internal, "OpenSSL refuses to sign"};
    return context;
}

std::optional<Bytes> sign(const Context& context, ByteView input)
{
    Bytes signature(rsa_octets);
    auto size = signature.size();
    if (EVP_PKEY_sign(context.get(), signature.data(), &size, input.data(), input.size()) <= 0)
        return std::nullopt;
    signature.resize(size);
    return signature;
}

} // namespace

void RsaKey::Free::operator()(evp_pkey_st* key) const noexcept
{
    EVP_PKEY_free(key);
}

RsaKey::RsaKey(std::string_view pem)
{
    const std::unique_ptr<BIO, FreeBio> bio{
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    if (bio)
        key_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    if (!key_ || EVP_PKEY_get_base_id(key_.get()) != EVP_PKEY_RSA ||
        EVP_PKEY_get_size(key_.get()) != static_cast<int>(rsa_octets))
        throw Error{Errc::malformed_input, "a card's key is no RSA-2048 private key"};
}

std::optional<Bytes> RsaKey::raw(ByteView block) const
{
    if (block.size() != rsa_octets)
        return std::nullopt;
    const auto context = context_of(key_.get());
    if (EVP_PKEY_decrypt_init(context.get()) <= 0 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) <= 0)
        throw Error{Errc::internal, "OpenSSL refuses to decrypt"};
    Bytes result(rsa_octets);
    auto size = result.size();
    if (EVP_PKEY_decrypt(context.get(), result.data(), &size, block.data(), block.size()) <= 0)
        return std::nullopt;
    return result;
}

std::optional<Bytes> RsaKey::sign_type1(ByteView input) const
{
    if (input.size() > rsa_octets - padding_overhead)
        return std::nullopt;
    return sign(signing_context(key_.get(), RSA_PKCS1_PADDING, nullptr), input);
}

std::optional<Bytes> RsaKey::sign_digest(Hash hash, ByteView digest) const
{
    if (digest.size() != hash_size(hash))
        return std::nullopt;
    return sign(signing_context(key_.get(), RSA_PKCS1_PADDING, evp(hash)), digest);
}

std::optional<Bytes> RsaKey::sign_pss(Hash hash, ByteView digest) const
{
    if (digest.size() != hash_size(hash))
        return std::nullopt;
    return sign(signing_context(key_.get(), RSA_PKCS1_PSS_PADDING, evp(hash)), digest);
}

std::optional<Bytes> RsaKey::decipher(ByteView cryptogram) const
{
    const auto block = raw(cryptogram);
    if (!block || (*block)[0] != 0x00 || (*block)[1] != 0x02)
        return std::nullopt;
    const auto zero = std::find(block->begin() + 2, block->end(), 0);
    if (zero == block->end() || zero - block->begin() + 1 < std::ptrdiff_t{padding_overhead})
        return std::nullopt;
    return Bytes(zero + 1, block->end());
}

} // namespace cps::vcard
