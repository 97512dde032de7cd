#pragma once

#include "session.hpp"

#include "cps/base/secret.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace cps::agent {

/// The PINs that serve silent renewals, one for a card, each in a locked page. One thread at
/// a time (Sessions sees to it).
class CardPins {
public:
    static constexpr std::size_t capacity = 4; // cards at once; the oldest PIN goes first

    bool holds(const CardInReader& card) const; ///< also while it is lent
    bool empty() const noexcept { return kept_.empty(); }
    /// Replaces what was kept for that card.
    void keep(const CardInReader& card, Pin pin);
    /// Takes the PIN out for one use; the place stays, until it is wiped.
    std::optional<Pin> lend(const CardInReader& card);
    /// Puts it back; wiped instead when the place was wiped meanwhile.
    void give_back(const CardInReader& card, Pin pin);
    /// Wipes those of cards that are not `wanted`.
    void wipe_unless(const std::function<bool(const CardInReader&)>& wanted);
    void wipe(const CardInReader& card);
    void wipe() noexcept { kept_.clear(); }

private:
    struct Kept {
        CardInReader card;
        std::optional<Pin> pin; ///< empty while it is lent
    };
    std::vector<Kept>::iterator find(const CardInReader& card);
    std::vector<Kept> kept_;
};

} // namespace cps::agent
