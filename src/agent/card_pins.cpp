#include "card_pins.hpp"

#include <algorithm>
#include <utility>

namespace cps::agent {

std::vector<CardPins::Kept>::iterator CardPins::find(const CardInReader& card)
{
    return std::ranges::find(kept_, card, &Kept::card);
}

bool CardPins::holds(const CardInReader& card) const
{
    return std::ranges::find(kept_, card, &Kept::card) != kept_.end();
}

void CardPins::keep(const CardInReader& card, Pin pin)
{
    wipe(card);
    if (kept_.size() == capacity)
        kept_.erase(kept_.begin());
    kept_.push_back({card, std::move(pin)});
}

std::optional<Pin> CardPins::lend(const CardInReader& card)
{
    const auto place = find(card);
    return place == kept_.end() ? std::nullopt : std::exchange(place->pin, std::nullopt);
}

void CardPins::give_back(const CardInReader& card, Pin pin)
{
    if (const auto place = find(card); place != kept_.end())
        place->pin = std::move(pin);
}

void CardPins::wipe_unless(const std::function<bool(const CardInReader&)>& wanted)
{
    std::erase_if(kept_, [&](const Kept& kept) { return !wanted(kept.card); });
}

void CardPins::wipe(const CardInReader& card)
{
    std::erase_if(kept_, [&](const Kept& kept) { return kept.card == card; });
}

} // namespace cps::agent
