#include "card_reading.hpp"

#include "chosen.hpp"

#include "cps/base/log.hpp"
#include "cps/pkcs11_client/module.hpp"

namespace cps::agent {
namespace {

std::vector<CardHolder> holders_of(const std::vector<pkcs11::TokenCertificate>& found)
{
    std::vector<CardHolder> holders;
    for (const auto& one : found)
        if (const auto read = authentication_certificate(one))
            holders.push_back(
                {one.reader, full_name(read->holder), read->certificate.not_after()});
    return holders;
}

} // namespace

CardReading::Cards CardReading::cards_in(const pcsc::Snapshot& now)
{
    Cards cards;
    for (const auto& reader : now.readers)
        if (reader.card != pcsc::CardState::absent)
            cards.emplace_back(reader.name, reader.insertion);
    return cards;
}

std::vector<CardHolder> CardReading::holders(Desk& desk)
{
    const auto now = cards_in(presence_.snapshot());
    const std::scoped_lock lock{mutex_};
    if (now == seen_)
        return holders_;
    if (!looking_ && !now.empty())
        looking_ = desk.between([this](Cancel& cancel) { look(cancel); });
    return {};
}

/// A card that cannot be read is not asked again before it was taken out.
void CardReading::look(Cancel& cancel)
{
    const auto cards = cards_in(presence_.snapshot());
    std::vector<CardHolder> holders;
    try {
        presence_.watch(cancel, {});
        pkcs11::Module module{worker_, config_.module};
        const auto found = module.certificates({cancel.fd()});
        if (found)
            holders = holders_of(*found);
        else
            log::write(log::Level::info, found.error());
    } catch (const std::exception&) {
        log::warning("the card could not be read for the status page");
    }
    presence_.unwatch();
    {
        const std::scoped_lock lock{mutex_};
        looking_ = false;
        if (cancel.reason())
            return;
        seen_ = cards;
        holders_ = std::move(holders);
    }
    read_();
}

} // namespace cps::agent
