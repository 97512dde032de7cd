#pragma once

#include "desk.hpp"
#include "presence.hpp"

#include "cps/base/clock.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace cps::agent {

/// Whose a card is, and until when its certificate serves.
struct CardHolder {
    std::string reader; ///< CK_SLOT_INFO.slotDescription
    std::string name;
    EpochSeconds not_after;
};

/// What the status page says of the cards that are in: read once for each insertion, when the
/// page asks for it, between two requests of the desk; no code is wanted for that. Thread-safe.
class CardReading {
public:
    /// @param worker path of cps-agent-worker. @param read called when there is more to tell.
    CardReading(const Config& config, std::string worker, Presence& presence,
                std::function<void()> read)
        : config_{config},
          worker_{std::move(worker)},
          presence_{presence},
          read_{std::move(read)}
    {
    }
    /// What is known of the cards that are in now. Where that is not all, `desk` finds it out.
    std::vector<CardHolder> holders(Desk& desk);

private:
    using Cards = std::vector<std::pair<std::string, unsigned>>; // reader and insertion
    static Cards cards_in(const pcsc::Snapshot& now);
    void look(Cancel& cancel);

    const Config& config_;
    const std::string worker_;
    Presence& presence_;
    const std::function<void()> read_;
    std::mutex mutex_;
    bool looking_ = false;
    Cards seen_; ///< the cards that were in at the last look
    std::vector<CardHolder> holders_;
};

} // namespace cps::agent
