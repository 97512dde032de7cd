#include "card_checks.hpp"

#include "cps/base/log.hpp"
#include "cps/pcsc/card.hpp"

#include <poll.h>

#include <chrono>

namespace cps::agent {
namespace {

constexpr std::chrono::milliseconds removal_notice{1500}; // pcscd asks some readers every 0.4 s

} // namespace

bool is_mute(const Presence& presence)
{
    for (const auto& reader : presence.snapshot().readers) {
        if (reader.card != pcsc::CardState::present ||
            pcsc::family_of(reader.atr) == pcsc::Family::unknown)
            continue;
        const auto reset = pcsc::reset_card(reader.name);
        if (!reset && reset.error().code() != Errc::no_card)
            return true;
    }
    return false;
}

Error explained(const Error& error, const Cancel& cancel)
{
    if (error.code() == Errc::module_failed) {
        pollfd watched{cancel.fd(), POLLIN, 0};
        ::poll(&watched, 1, static_cast<int>(removal_notice.count()));
    }
    return error;
}

void reset_cards_in(std::string_view slot_description, const Presence& presence)
{
    for (const auto& one : presence.snapshot().readers) {
        if (!is_reader(slot_description, one.name))
            continue;
        const auto reset = pcsc::reset_card(one.name);
        if (!reset && reset.error().code() != Errc::no_card)
            log::error(reset.error());
    }
}

} // namespace cps::agent
