#include "vcard/device.hpp"

#include <algorithm>
#include <sstream>

namespace cps::vcard {

namespace {

constexpr std::uint8_t control_off = 0;
constexpr std::uint8_t control_on = 1;
constexpr std::uint8_t control_reset = 2;

} // namespace

Device::Device(std::unique_ptr<Card> card, StateFile state, ApduLog log, Timing timing)
    : card_{std::move(card)},
      state_{std::move(state)},
      saved_{card_->pins().state()},
      log_{std::move(log)},
      timing_{timing}
{
}

Device::Answer Device::exchange(ByteView command)
{
    log_.write(log_line_of_command(command));
    ++commands_;
    auto response = run(command);
    save_state();
    if (faults_.truncate_to) {
        response.resize(std::min(response.size(), *faults_.truncate_to));
        faults_.truncate_to.reset();
        ++faults_.counts.truncated;
    }
    if (faults_.delay.count() != 0)
        ++faults_.counts.delayed;
    log_.write(log_line_of_response(response));
    const auto delay = exchange_time(timing_, command, response) + faults_.delay;
    return {std::move(response), delay};
}

Bytes Device::run(ByteView command)
{
    if (faults_.mute) { // the reader hears this only once the card has been reset
        ++faults_.counts.muted;
        return {0x6F, 0x00};
    }
    if (faults_.failures != 0) {
        --faults_.failures;
        ++faults_.counts.failed;
        return {static_cast<std::uint8_t>(faults_.failure_status >> 8),
                static_cast<std::uint8_t>(faults_.failure_status & 0xFFU)};
    }
    return card_->process(command);
}

void Device::save_state()
{
    const auto& now = card_->pins().state();
    if (now == saved_)
        return;
    state_.save(now);
    saved_ = now;
}

void Device::control_power(std::uint8_t control)
{
    log_.write(log_line_of_control(control));
    if (control == control_off || control == control_on || control == control_reset)
        card_->reset();
}

void Device::set_connected(bool connected)
{
    connected_ = connected;
    if (!connected)
        card_->reset();
}

void Device::insert()
{
    inserted_ = true;
    changed_();
}

void Device::remove()
{
    if (inserted_)
        ++faults_.counts.removed;
    inserted_ = false;
    faults_.mute = false;
    card_->reset();
    changed_();
}

void Device::reset()
{
    ++faults_.counts.reset;
    faults_.mute = false;
    card_->reset();
    changed_();
}

void Device::block()
{
    ++faults_.counts.blocked;
    card_->pins().block_pin();
    save_state();
}

std::string Device::status() const
{
    const auto& pins = card_->pins();
    const auto& counts = faults_.counts;
    std::ostringstream line;
    line << "inserted=" << inserted_ << " connected=" << connected_ << " commands=" << commands_
         << " verified=" << pins.verified(Code::pin) << " pin_tries=" << pins.state().pin_tries
         << " puk_tries=" << pins.state().puk_tries << " mute=" << faults_.mute
         << " delay=" << faults_.delay.count() << " failures_left=" << faults_.failures
         << " delayed=" << counts.delayed << " failed=" << counts.failed
         << " truncated=" << counts.truncated << " muted=" << counts.muted
         << " removed=" << counts.removed << " resets=" << counts.reset
         << " blocked=" << counts.blocked;
    return line.str();
}

} // namespace cps::vcard
