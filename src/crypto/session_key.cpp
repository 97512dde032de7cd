#include "cps/crypto/session_key.hpp"

#include "cps/crypto/digest.hpp"
#include "cps/crypto/openssl.hpp"
#include "signature.hpp"

#include <openssl/crypto.h>

#include <array>

namespace cps::crypto {
namespace {

// Octets. A scalar takes 64, one signature a few hundred for its time: room for some 400 keys,
// within the 64 KiB that older systems let a process lock, PIN pages beside it.
constexpr std::size_t heap_size = 32 * 1024;
constexpr std::size_t smallest_block = 32; // octets: one P-256 number

constexpr std::size_t max_der_signature = 72; // octets: SEQUENCE of two INTEGERs of 33

PublicKey public_half(EVP_PKEY* key)
{
    // Through its encoding, so that the private half does not travel along.
    const std::shared_ptr<EVP_PKEY> borrowed{key, [](EVP_PKEY*) {}};
    return PublicKey::from_spki(PublicKey{borrowed}.spki()).value();
}

} // namespace

void start_secure_heap()
{
    if (CRYPTO_secure_malloc_initialized() == 1)
        return;
    const ossl::ErrorMark mark;
    // 2: to be had, but not locked or not kept out of dumps.
    if (CRYPTO_secure_malloc_init(heap_size, smallest_block) != 1) {
        CRYPTO_secure_malloc_done();
        throw Error{Errc::internal, "no locked memory for session keys"};
    }
}

void SessionKey::Free::operator()(evp_pkey_st* key) const noexcept
{
    EVP_PKEY_free(key);
}

void SessionKey::Free::operator()(evp_pkey_ctx_st* context) const noexcept
{
    EVP_PKEY_CTX_free(context);
}

SessionKey::SessionKey(UniqueKey key)
    : key_{std::move(key)},
      public_key_{public_half(key_.get())},
      signing_{EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr)}
{
    if (!signing_ || EVP_PKEY_sign_init(signing_.get()) != 1)
        throw Error{Errc::internal, "OpenSSL cannot sign with a session key"};
}

SessionKey SessionKey::make()
{
    if (CRYPTO_secure_malloc_initialized() != 1)
        throw Error{Errc::internal, "no locked memory for a session key"};
    const ossl::ErrorMark mark;
    const auto before = CRYPTO_secure_used();
    UniqueKey key{EVP_EC_gen("P-256")};
    if (!key || CRYPTO_secure_used() <= before)
        throw Error{Errc::internal, "no session key can be made in locked memory"};
    return SessionKey{std::move(key)};
}

Bytes SessionKey::sign(ByteView data)
{
    const auto hash = sha256(data);
    const ossl::ErrorMark mark;
    std::array<std::uint8_t, max_der_signature> der;
    auto size = der.size();
    if (EVP_PKEY_sign(signing_.get(), der.data(), &size, hash.data(), hash.size()) != 1)
        throw Error{Errc::internal, "OpenSSL cannot sign"};
    return raw_from_der(ByteView{der}.first(size));
}

} // namespace cps::crypto
