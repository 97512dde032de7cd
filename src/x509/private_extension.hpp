#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

struct asn1_type_st; // OpenSSL's ASN1_TYPE
struct x509_st;      // OpenSSL's X509

namespace cps::x509 {

/// Content octets of an object identifier under ANS's arc 1.2.250.1.71.
using AnsOid = std::array<std::uint8_t, 8>;
// clang-format off
inline constexpr AnsOid oid_card_type       {0x2A, 0x81, 0x7A, 0x01, 0x47, 0x01, 0x02, 0x02};
inline constexpr AnsOid oid_card_number     {0x2A, 0x81, 0x7A, 0x01, 0x47, 0x01, 0x02, 0x03};
inline constexpr AnsOid oid_product_category{0x2A, 0x81, 0x7A, 0x01, 0x47, 0x01, 0x02, 0x05};
inline constexpr AnsOid oid_profession      {0x2A, 0x81, 0x7A, 0x01, 0x47, 0x01, 0x02, 0x07};
inline constexpr AnsOid oid_speciality      {0x2A, 0x81, 0x7A, 0x01, 0x47, 0x04, 0x02, 0x05};
// clang-format on

/// What an extension says. Generations of cards encode one field in several ASN.1 types, so
/// each reader below takes them all.
class PrivateExtension {
public:
    /// The extension `oid` of `certificate`; of a SEQUENCE or SET, its first member. Empty
    /// where it is absent. Errors: malformed_input.
    static Result<std::optional<PrivateExtension>> of(const x509_st* certificate,
                                                      const AnsOid& oid);

    /// A code such as "10" or "SM36": a text, a number in decimal, or one octet's number.
    std::optional<std::string> code() const;
    /// One octet: an octet, a number up to 255, or two hexadecimal digits.
    std::optional<std::uint8_t> octet() const;

private:
    enum class Kind { number, text, octets };
    PrivateExtension() = default;
    static Result<PrivateExtension> read(ByteView der);
    static Result<PrivateExtension> read_simple(const asn1_type_st& type);

    Kind kind_ = Kind::number;
    std::int64_t number_ = 0;
    std::string content_; ///< UTF-8 of a text, or octets as they are
};

} // namespace cps::x509
