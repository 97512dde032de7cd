#include "presence.hpp"

#include "cps/pcsc/card.hpp"

#include <algorithm>

namespace cps::agent {
namespace {

constexpr std::size_t slot_description_size = 64; // octets: PKCS #11, CK_SLOT_INFO

std::size_t count(const pcsc::Snapshot& snapshot, pcsc::CardState state)
{
    return static_cast<std::size_t>(
        std::ranges::count(snapshot.readers, state, &pcsc::Reader::card));
}

bool is_usable(const pcsc::Reader& reader)
{
    return reader.card == pcsc::CardState::present || reader.card == pcsc::CardState::exclusive;
}

} // namespace

bool is_reader(std::string_view slot_description, std::string_view reader_name) noexcept
{
    return slot_description == reader_name ||
           (slot_description.size() == slot_description_size &&
            reader_name.starts_with(slot_description));
}

void Presence::update(const pcsc::Snapshot& snapshot)
{
    const std::scoped_lock lock{mutex_};
    snapshot_ = snapshot;
    wake_watcher();
}

pcsc::Snapshot Presence::snapshot() const
{
    const std::scoped_lock lock{mutex_};
    return snapshot_;
}

CardStatus status_of(const pcsc::Snapshot& now)
{
    CardStatus status;
    status.readers = now.readers.size();
    const auto mute = count(now, pcsc::CardState::mute);
    const auto usable = static_cast<std::size_t>(std::ranges::count_if(now.readers, is_usable));
    status.cards = usable + mute;
    const auto known = std::ranges::any_of(now.readers, [](const auto& reader) {
        return is_usable(reader) && pcsc::family_of(reader.atr) != pcsc::Family::unknown;
    });
    status.card = known         ? "present"
                  : usable != 0 ? "unsupported"
                  : mute != 0   ? "mute"
                                : "absent";
    return status;
}

std::optional<Errc> Presence::obstacle() const
{
    const auto now = snapshot();
    if (!now.service)
        return Errc::no_service;
    if (now.readers.empty())
        return Errc::no_reader;
    if (count(now, pcsc::CardState::present) != 0)
        return std::nullopt;
    if (count(now, pcsc::CardState::exclusive) != 0)
        return Errc::card_in_use;
    return count(now, pcsc::CardState::mute) != 0 ? Errc::card_mute : Errc::no_card;
}

void Presence::watch(Cancel& cancel, std::string reader)
{
    const std::scoped_lock lock{mutex_};
    watcher_ = &cancel;
    watched_reader_ = std::move(reader);
    wake_watcher(); // it may have gone before we looked
}

void Presence::unwatch()
{
    const std::scoped_lock lock{mutex_};
    watcher_ = nullptr;
}

void Presence::wake_watcher()
{
    if (watcher_ == nullptr)
        return;
    const bool still_there = std::ranges::any_of(snapshot_.readers, [&](const auto& reader) {
        return is_usable(reader) &&
               (watched_reader_.empty() || is_reader(watched_reader_, reader.name));
    });
    if (!still_there)
        watcher_->signal(snapshot_.service ? Errc::card_removed : Errc::no_service);
}

} // namespace cps::agent
