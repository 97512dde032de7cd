#pragma once

#include "cps/base/bytes.hpp"

#include <memory>
#include <optional>
#include <string_view>

struct evp_pkey_st; // OpenSSL's EVP_PKEY

namespace cps::vcard {

inline constexpr std::size_t rsa_octets = 256; // RSA-2048, the only size of CPS cards
/// An input longer than 40 % of the modulus is refused by the card (IAS ECC 1.0.1).
inline constexpr std::size_t max_type1_input = rsa_octets * 40 / 100;

enum class Hash { sha1, sha256 };
constexpr std::size_t hash_size(Hash hash) noexcept
{
    return hash == Hash::sha1 ? 20 : 32;
}

/// An RSA-2048 private key inside the chip.
class RsaKey {
public:
    /// @throws Error malformed_input for anything but an RSA-2048 private key in PEM.
    explicit RsaKey(std::string_view pem);

    /// The bare private operation on 256 octets; empty for another length or a block that is
    /// not below the modulus.
    std::optional<Bytes> raw(ByteView block) const;
    /// Type-1 padding of `input` and the private operation (RFC 8017, 9.2, steps 3 to 5).
    std::optional<Bytes> sign_type1(ByteView input) const;
    /// RSASSA-PKCS1-v1_5 of a digest; empty for a digest of the wrong length.
    std::optional<Bytes> sign_digest(Hash hash, ByteView digest) const;
    /// RSASSA-PSS, MGF1 of the same hash, salt of the digest's length.
    std::optional<Bytes> sign_pss(Hash hash, ByteView digest) const;
    /// Type-2 padding removed (RFC 8017, 7.2.2); empty when there is none.
    std::optional<Bytes> decipher(ByteView cryptogram) const;

private:
    struct Free {
        void operator()(evp_pkey_st* key) const noexcept;
    };
    std::unique_ptr<evp_pkey_st, Free> key_;
};

} // namespace cps::vcard
