#pragma once

#include "cps/apdu/command.hpp"
#include "cps/apdu/status_word.hpp"
#include "cps/base/bytes.hpp"

namespace cps::apdu {

struct Response {
    Bytes data;
    StatusWord status{0};
};

/// One exchange with one card. Implemented by pcsc::Transaction and by test::ScriptedCard.
class Channel {
public:
    virtual ~Channel() = default;
    /// @throws Error card_removed, no_card, no_reader, no_service, card_mute.
    virtual Response exchange(const Command& command) = 0;
};

} // namespace cps::apdu
