#pragma once

#include "cps/crypto/digest.hpp"

#include <memory>

struct evp_md_ctx_st; // OpenSSL's EVP_MD_CTX

namespace cps::crypto {

/// A digest of data that comes in pieces. One thread at a time.
class Hasher {
public:
    /// @throws Error internal when OpenSSL has no such digest.
    explicit Hasher(DigestAlgorithm algorithm);
    void update(ByteView data);
    /// Once; nothing may follow.
    Bytes finish();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    DigestAlgorithm algorithm_;
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

} // namespace cps::crypto
