#pragma once

#include "cps/crypto/public_key.hpp"

namespace cps::crypto {

/// A private key in this process: session keys and test keys, never a card's.
class PrivateKey {
public:
    static PrivateKey generate_p256();
    /// @param der PKCS #8 or the traditional form, unencrypted.
    static Result<PrivateKey> from_der(ByteView der);
    static Result<PrivateKey> from_pem(std::string_view pem);

    PublicKey public_key() const;
    /// PKCS #8 (RFC 5958), unencrypted: for a file of mode 0600 and nothing else.
    /// @throws Error internal.
    Bytes to_der() const;
    /// ES256 signatures come as R ‖ S. @throws Error bad_argument for a key of another kind.
    Bytes sign(SignatureAlgorithm algorithm, ByteView data) const;

    explicit PrivateKey(std::shared_ptr<evp_pkey_st> key) noexcept : key_{std::move(key)} {}
    evp_pkey_st* native() const noexcept { return key_.get(); }

private:
    std::shared_ptr<evp_pkey_st> key_;
};

} // namespace cps::crypto
