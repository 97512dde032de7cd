#include "vcard/card.hpp"

#include "vcard/card_data.hpp"
#include "vcard/cps3.hpp"
#include "vcard/cps4.hpp"

namespace cps::vcard {

std::unique_ptr<Card> make_card(const CardData& data, const PinState& pins)
{
    switch (data.generation) {
    case Generation::cps3: return std::make_unique<Cps3>(data, pins);
    case Generation::cps4: return std::make_unique<Cps4>(data, pins);
    }
    return nullptr;
}

} // namespace cps::vcard
