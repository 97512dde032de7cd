#pragma once

#include "vcard/card_data.hpp"
#include "vcard/file_tree.hpp"

#include <memory>

namespace cps::vcard {

inline constexpr FileId contact_application_id = 0x0001;
inline constexpr FileId contactless_application_id = 0x0002;

/// Key references as PrKDF announces them.
inline constexpr std::uint8_t cps3_signature_key = 0x81;
inline constexpr std::uint8_t cps3_authentication_key = 0x82;
inline constexpr std::uint8_t cps4_signature_key = 0x01;
inline constexpr std::uint8_t cps4_authentication_key = 0x20;

/// Every file of the card that `data` describes.
std::unique_ptr<FileTree> make_file_tree(const CardData& data);

/// EF.SN.ICC: tag 5A, issuer, serial digits, Luhn's check digit over the whole PAN, filler F.
/// @param serial eight digits.
Bytes serial_number_file(std::string_view serial);

} // namespace cps::vcard
