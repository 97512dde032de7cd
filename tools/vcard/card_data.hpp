#pragma once

#include "cps/base/bytes.hpp"

#include <filesystem>
#include <string>

namespace cps::vcard {

enum class Generation { cps3, cps4 };
enum class Interface { contact, contactless };

/// What is personalised into a chip: the content of a card directory.
struct CardData {
    Generation generation = Generation::cps3;
    Interface interface = Interface::contact;
    /// Eight digits: the middle of the card's PAN (EF.SN).
    std::string serial;
    /// Ten digits, as the token label shows them.
    std::string card_number;
    /// DER certificates, and RSA-2048 private keys in PEM. A contactless card has the
    /// authentication pair alone, as its technical one.
    Bytes auth_certificate;
    Bytes sign_certificate;
    std::string auth_key;
    std::string sign_key;
};

/// Reads `directory`: card.toml, auth.key, auth.der, sign.key, sign.der.
/// @throws Error malformed_input when a file is missing, too long or wrong.
CardData read_card_directory(const std::filesystem::path& directory);

} // namespace cps::vcard
