#pragma once

#include "cps/crypto/public_key.hpp"

#include <memory>

struct evp_pkey_ctx_st; // OpenSSL's EVP_PKEY_CTX

namespace cps::crypto {

/// Gives OpenSSL a heap for private numbers that is locked, never in a core dump and wiped
/// as it is freed: every SessionKey's scalar lives there, and so do the secret numbers of its
/// signatures. Once for the process, before its second thread; further calls do nothing.
/// Never in the PKCS #11 module: the heap belongs to the whole host program.
/// @throws Error internal when the memory cannot be had or locked.
void start_secure_heap();

/// A session's P-256 key, ready to sign: made here, kept in the secure heap alone, gone with
/// the object. One thread at a time.
class SessionKey {
public:
    /// @throws Error internal, also without `start_secure_heap` and when that heap is full.
    static SessionKey make();
    SessionKey(SessionKey&&) noexcept = default;
    SessionKey& operator=(SessionKey&&) noexcept = default;
    ~SessionKey() = default;

    /// ES256: R ‖ S, 64 octets (RFC 7518, 3.4). @throws Error internal.
    Bytes sign(ByteView data);
    /// The public half alone.
    const PublicKey& public_key() const noexcept { return public_key_; }

private:
    friend struct SessionKeyProbe; // a test looks where the scalar lies
    struct Free {
        void operator()(evp_pkey_st* key) const noexcept;
        void operator()(evp_pkey_ctx_st* context) const noexcept;
    };
    using UniqueKey = std::unique_ptr<evp_pkey_st, Free>;
    explicit SessionKey(UniqueKey key);

    UniqueKey key_;
    PublicKey public_key_;
    std::unique_ptr<evp_pkey_ctx_st, Free> signing_; ///< set up once: it costs more than a hash
};

} // namespace cps::crypto
