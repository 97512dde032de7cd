#pragma once

#include "cps/base/bytes.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cps::pcsc {

enum class CardState { absent, present, mute, exclusive };

struct Reader {
    std::string name;
    CardState card = CardState::absent;
    Bytes atr; ///< empty without a card
    friend bool operator==(const Reader&, const Reader&) = default;
};

/// All that the monitor knows at one moment.
struct Snapshot {
    bool service = false; ///< pcscd answers
    std::vector<Reader> readers;
    friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// Watches readers and cards on a thread of its own, asleep in SCardGetStatusChange until
/// something happens; survives pcscd's absence and restart.
class Monitor {
public:
    /// `changed` runs on the monitor's thread after each change of the snapshot, the first
    /// one included.
    explicit Monitor(std::function<void(const Snapshot&)> changed);
    ~Monitor();
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    /// Thread-safe.
    Snapshot snapshot() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace cps::pcsc
