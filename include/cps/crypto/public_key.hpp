#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"

#include <cstdint>
#include <memory>
#include <optional>

struct evp_pkey_st; // OpenSSL's EVP_PKEY

namespace cps::crypto {

enum class SignatureAlgorithm {
    rs256, ///< RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3)
    ps256, ///< RSASSA-PSS with SHA-256, MGF1 SHA-256, 32-octet salt (RFC 7518, 3.5)
    es256, ///< ECDSA on P-256 with SHA-256; the signature is R ‖ S, 64 octets (RFC 7518, 3.4)
};

/// A public key, immutable and shared between copies (all are readers). Thread-safe.
class PublicKey {
public:
    /// @param spki DER SubjectPublicKeyInfo (RFC 5280, 4.1).
    static Result<PublicKey> from_spki(ByteView spki);
    /// A P-256 point from its two coordinates, 32 octets each; refused off the curve.
    static Result<PublicKey> from_p256(ByteView x, ByteView y);

    bool is_rsa() const noexcept;
    bool is_p256() const noexcept;
    /// Of the modulus or the field.
    unsigned bits() const noexcept;
    /// RSA's e, where it fits in 64 bits; empty for other keys.
    std::optional<std::uint64_t> rsa_exponent() const;
    /// False for a wrong signature, a key of another kind, or a signature of the wrong length.
    bool verify(SignatureAlgorithm algorithm, ByteView data, ByteView signature) const;
    /// The affine coordinates of a P-256 point, X ‖ Y, 64 octets. @throws Error bad_argument
    /// for a key of another kind.
    Bytes p256_point() const;
    /// DER SubjectPublicKeyInfo.
    Bytes spki() const;

    /// For x509 and tools alone.
    explicit PublicKey(std::shared_ptr<evp_pkey_st> key) noexcept : key_{std::move(key)} {}
    evp_pkey_st* native() const noexcept { return key_.get(); }

private:
    std::shared_ptr<evp_pkey_st> key_;
};

} // namespace cps::crypto
