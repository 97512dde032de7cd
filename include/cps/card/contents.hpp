#pragma once

#include "cps/base/bytes.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace cps::card {

/// Where a file lies: the identifiers from below the master file down, two octets each
/// (00 01 A0 02 is 3F00/0001/A002).
using Path = Bytes;

/// What a private key is for (ISO/IEC 7816-15:2016, 8.2: KeyUsageFlags).
enum class KeyRole {
    authentication, ///< sign and decipher
    signature,      ///< nonRepudiation
};

struct PrivateKey {
    Bytes id; ///< pairs it with its certificate
    std::string label;
    KeyRole role = KeyRole::authentication;
    bool may_decipher = false;
    std::uint8_t reference = 0; ///< the card's own number for it
    unsigned bits = 0;          ///< of the modulus
};

struct Certificate {
    Bytes id;
    std::string label;
    Path path;
};

struct DataObject {
    std::string label;
    std::string application;
    Path path;
    bool is_private = false; ///< readable after the PIN only
};

/// The form of the PIN (ISO/IEC 7816-15:2016, 8.9.2: PasswordAttributes).
struct PinFormat {
    std::string label;
    std::size_t min_size = 4;    // digits
    std::size_t max_size = 4;    // digits
    std::size_t stored_size = 8; // octets sent, padded
    std::uint8_t padding = 0xFF;
};

struct TokenInfo {
    std::string label; ///< "CPS3v3-…" or "CPS4v1-…", UTF-8
    std::string manufacturer;
    std::string last_update; ///< GeneralizedTime as it stands, or empty
};

/// All that the directory files of a card say (PKCS #15).
struct Contents {
    TokenInfo token;
    PinFormat pin;
    PinFormat puk{"", 8, 8, 8, 0xFF};
    std::vector<PrivateKey> keys;
    std::vector<Certificate> certificates;
    std::vector<DataObject> data;
};

} // namespace cps::card
