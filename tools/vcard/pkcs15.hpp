#pragma once

#include "cps/base/bytes.hpp"
#include "vcard/card_data.hpp"
#include "vcard/file_tree.hpp"

#include <span>
#include <string_view>

/// What the PKCS #15 files of a CPS card say (PKCS #15 v1.1; ISO/IEC 7816-15). Objects that
/// have been published byte for byte are kept byte for byte, faults included.
namespace cps::vcard::pkcs15 {

inline constexpr FileId odf_id = 0x5031;
inline constexpr FileId token_info_id = 0x5032;
inline constexpr FileId aodf_id = 0x7001;
inline constexpr FileId prkdf_id = 0x7002;
inline constexpr FileId cdf_id = 0x7005;
inline constexpr FileId dodf_id = 0x7006;

struct CertificateEntry {
    std::string_view label;
    /// Last octet of the object identifier, which is the application's AID and this.
    std::uint8_t number;
    FileId file;
    /// Only PIN 01 may replace it; else nobody.
    bool updatable;
};

enum class KeyKind { signature, authentication, technical };

struct KeyEntry {
    std::string_view label;
    std::uint8_t number;
    /// What MSE takes, as PrKDF announces it.
    std::uint8_t reference;
    KeyKind kind;
};

enum class DataAccess {
    open,     ///< read by all, written by the issuer
    writable, ///< read by all, written after the PIN
    closed,   ///< read after the PIN
};

struct DataEntry {
    std::string_view label;
    FileId file;
    DataAccess access;
};

/// @param with_codes whether there is an AODF.
Bytes odf(bool with_codes);
/// @param prefix what precedes the ten digits in the label: "CPS3v3-".
Bytes token_info(std::string_view prefix, const CardData& data);
Bytes aodf();
Bytes prkdf(ByteView aid, std::span<const KeyEntry> keys);
Bytes cdf(ByteView aid, std::span<const CertificateEntry> certificates);
Bytes dodf(std::span<const DataEntry> objects);

} // namespace cps::vcard::pkcs15
