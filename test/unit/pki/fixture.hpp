#pragma once

#include "pki/cards.hpp"
#include "pki/hierarchy.hpp"

#include <algorithm>

namespace cps::test {

inline constexpr auto pki_time = epoch_seconds(1'790'000'000); // 2026-09-21

/// One hierarchy for all cases of the program: making it is what takes time.
inline const pki::Hierarchy& hierarchy()
{
    static const pki::Hierarchy made{{7, pki_time, 2048}};
    return made;
}

inline pki::Card card_named(std::string_view name)
{
    const auto cards = pki::fictitious_cards();
    return *std::ranges::find(cards, name, &pki::Card::name);
}

inline pki::LeafSpec doctor_leaf()
{
    return pki::authentication_leaf("medecin-cps3", card_named("medecin-cps3").person, pki_time,
                                    pki::years_after(pki_time, pki::leaf_years));
}

} // namespace cps::test
