#pragma once

#include "cps/base/bytes.hpp"

#include <string>
#include <vector>

namespace cps::pcsc {

/// `exclusive`: another program connected without sharing. libpcsclite does not wake anyone
/// for that alone, so it is known from the next event on.
enum class CardState { absent, present, mute, exclusive };

struct Reader {
    std::string name;
    CardState card = CardState::absent;
    Bytes atr;              ///< empty without a card
    unsigned insertion = 0; ///< changes with each insertion and removal; wraps
    friend bool operator==(const Reader&, const Reader&) = default;
};

/// All that is known of readers and cards at one moment.
struct Snapshot {
    bool service = false; ///< pcscd answers
    std::vector<Reader> readers;
    friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

} // namespace cps::pcsc
