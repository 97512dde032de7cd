#pragma once

#include "vcard/apdu_log.hpp"
#include "vcard/card.hpp"
#include "vcard/faults.hpp"
#include "vcard/state_file.hpp"
#include "vcard/timing.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace cps::vcard {

/// The card in the reader's slot: runs exchanges, injects faults, logs, and saves the state
/// before an answer leaves. No sockets; one thread.
class Device {
public:
    Device(std::unique_ptr<Card> card, StateFile state, ApduLog log, Timing timing);

    struct Answer {
        Bytes response;
        std::chrono::microseconds delay;
    };
    /// One command. @throws Error internal when the state cannot be saved.
    Answer exchange(ByteView command);
    /// The reader's side: 0 off, 1 on, 2 reset; anything else is ignored.
    void control_power(std::uint8_t control);
    /// The link to the reader is there, or is gone; a card without a reader has no power.
    void set_connected(bool connected);

    // The person's side, through the control socket.
    void insert();
    void remove();
    /// As if the power had failed: security status, selections and muteness are forgotten.
    void reset();
    void block();
    Faults& faults() noexcept { return faults_; }

    ByteView atr() const noexcept { return card_->atr(); }
    bool inserted() const noexcept { return inserted_; }
    bool mute() const noexcept { return faults_.mute; }
    /// key=value pairs in one line.
    std::string status() const;
    /// `changed` is called after insert, remove and reset.
    void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

private:
    Bytes run(ByteView command);
    void save_state();

    std::unique_ptr<Card> card_;
    StateFile state_;
    PinState saved_;
    ApduLog log_;
    Timing timing_;
    Faults faults_;
    std::function<void()> changed_ = [] {};
    unsigned commands_ = 0;
    bool inserted_ = true;
    bool connected_ = false;
};

} // namespace cps::vcard
