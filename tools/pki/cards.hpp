#pragma once

#include "pki/leaf.hpp"

#include <string>
#include <vector>

namespace cps::pki {

/// One fictitious card: who holds it and what is peculiar to it.
struct Card {
    std::string name;       ///< of its folder
    std::string generation; ///< "cps3" or "cps4"
    std::string serial;     ///< EF.SN: eight digits; the Luhn digit is computed by the card
    Person person;
    int years_from = 0; ///< first year of the certificates, from the hierarchy's time
    bool revoked = false;
};

/// Every card that `cps-pki new` makes. Nobody in it exists; the RPPS numbers are of the
/// 99700 range that ANS keeps for tests, with a true check digit.
std::vector<Card> fictitious_cards();

/// The text of `card.toml`, which the virtual card reads.
std::string card_toml(const Card& card);

} // namespace cps::pki
