#pragma once

#include "vcard/card.hpp"
#include "vcard/card_data.hpp"
#include "vcard/rsa_key.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace cps::test {

enum class KeyName { sign, auth };
enum class Padding { pkcs1, pss };

/// Cards whose keys are made once a run; the certificates are bytes that nobody parses.
vcard::CardData card_data(vcard::Generation generation,
                          vcard::Interface interface = vcard::Interface::contact);
/// A fresh card with PIN 1234 and PUK 12345678.
std::unique_ptr<vcard::Card> new_card(vcard::Generation generation,
                                      vcard::Interface interface = vcard::Interface::contact);
vcard::PinState fresh_pins();

/// One exchange, hexadecimal both ways, spaces between octets.
std::string ask(vcard::Card& card, std::string_view command);
/// The same, collecting 61xx with GET RESPONSE of class `cla`; without 9000. Fails the test
/// when the card ends with anything else.
Bytes fetch(vcard::Card& card, std::string_view command, std::string_view cla = "00");

/// What OpenSSL says about a signature over a digest.
bool verifies(KeyName key, Padding padding, vcard::Hash hash, ByteView digest,
              ByteView signature);
Bytes digest_of(vcard::Hash hash, ByteView message);
/// RSAES-PKCS1-v1_5.
Bytes encrypt(KeyName key, ByteView clear);
/// 00 01 FF … 00 T of a SHA-256 digest, 256 octets.
Bytes host_padded(ByteView digest);
/// T of RFC 8017, 9.2 for SHA-256.
Bytes digest_info(ByteView digest);

} // namespace cps::test
