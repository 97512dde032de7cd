#include "card_checks.hpp"

#include "cps/base/log.hpp"
#include "cps/pcsc/card.hpp"

#include <poll.h>

#include <chrono>

namespace cps::agent {
namespace {

constexpr std::chrono::milliseconds removal_notice{1500}; // pcscd asks some readers every 0.4 s

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

} // namespace

Result<std::vector<pkcs11::TokenCertificate>> list_certificates(const Bench& bench,
                                                                const CardInReader* of)
{
    const pkcs11::CancelSignal cancel{bench.cancel.fd()};
    auto found = of != nullptr
                     ? bench.module.find({of->reader, of->key_id, of->certificate}, cancel)
                     : bench.module.certificates(cancel);
    const bool in_vain = found ? found->empty() : found.error().code() == Errc::module_failed;
    if (in_vain && is_mute(bench.presence))
        return Error{Errc::card_mute, "the card answers neither the module nor a reset"};
    if (!found)
        return explained(found.error(), bench.cancel);
    return found;
}

Error explained(const Error& error, const Cancel& cancel)
{
    if (error.code() == Errc::module_failed) {
        pollfd watched{cancel.fd(), POLLIN, 0};
        ::poll(&watched, 1, static_cast<int>(removal_notice.count()));
    }
    return error;
}

std::vector<std::string> readers_called(std::string_view slot_description,
                                        const Presence& presence)
{
    std::vector<std::string> readers;
    for (const auto& one : presence.snapshot().readers)
        if (is_reader(slot_description, one.name))
            readers.push_back(one.name);
    return readers;
}

void reset_cards(const std::vector<std::string>& readers)
{
    for (const auto& reader : readers) {
        const auto reset = pcsc::reset_card(reader);
        if (!reset && reset.error().code() != Errc::no_card)
            log::error(reset.error());
    }
}

} // namespace cps::agent
