#pragma once

#include "cancel.hpp"

#include "cps/base/error.hpp"
#include "cps/pcsc/monitor.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace cps::agent {

/// What the agent says of readers and cards to pages.
struct CardStatus {
    std::size_t readers = 0;
    std::size_t cards = 0;
    std::string_view card = "absent"; ///< "absent" "present" "unsupported" "mute"
    friend bool operator==(const CardStatus&, const CardStatus&) = default;
};
CardStatus status_of(const pcsc::Snapshot& now);

/// The latest word of the reader monitor, and the job that must stop when its card goes.
/// Thread-safe.
class Presence {
public:
    /// The monitor's callback.
    void update(const pcsc::Snapshot& snapshot);
    pcsc::Snapshot snapshot() const;
    CardStatus status() const { return status_of(snapshot()); }
    /// Why no card can be used now, the most helpful reason first; empty when one can.
    std::optional<Errc> obstacle() const;

    /// From now on `cancel` is signalled with card_removed when the card in `reader` goes
    /// (any reader where empty: when the last card goes). The caller keeps `cancel` alive until
    /// `unwatch`.
    void watch(Cancel& cancel, std::string reader);
    void unwatch();

private:
    void wake_watcher();
    mutable std::mutex mutex_;
    pcsc::Snapshot snapshot_;
    Cancel* watcher_ = nullptr;
    std::string watched_reader_;
};

/// Watches the card while it lives, so that its removal ends every wait.
class Watch {
public:
    Watch(Presence& presence, Cancel& cancel, std::string reader) : presence_{presence}
    {
        presence_.watch(cancel, std::move(reader));
    }
    ~Watch() { presence_.unwatch(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

private:
    Presence& presence_;
};

/// CK_SLOT_INFO.slotDescription has 64 octets: a long reader name is cut there.
bool is_reader(std::string_view slot_description, std::string_view reader_name) noexcept;

} // namespace cps::agent
