#pragma once

#include "cps/card/card.hpp"

namespace cps::card {

/// What the generations share: files are read, codes are verified and random numbers are had
/// in the same way. A generation adds how it selects and how it uses keys.
class Cpx : public Card {
public:
    void begin() noexcept override { in_application_ = false; }
    std::string serial(apdu::Channel& channel) final;
    Bytes read(apdu::Channel& channel, const Path& path) final;
    PinStatus pin_status(apdu::Channel& channel, PinRole role) final;
    PinOutcome verify(apdu::Channel& channel, PinRole role, ByteView padded) final;
    Bytes random(apdu::Channel& channel, std::size_t size) final;
    apdu::Header verify_header(PinRole role) const noexcept final;

protected:
    /// @param cla 00, or 01 for logical channel 1.
    explicit Cpx(std::uint8_t cla) noexcept : cla_{cla} {}

    /// Selects the file at `path`; its size where the card tells.
    virtual std::optional<std::size_t> select(apdu::Channel& channel, const Path& path) = 0;
    /// Makes the application current, where its keys are.
    virtual void select_application(apdu::Channel& channel) = 0;
    /// `transmit`, with whatever the generation needs for its logical channel.
    virtual apdu::Response send(apdu::Channel& channel, apdu::Command& command);

    /// `select_application` unless it is current already in this transaction.
    void enter_application(apdu::Channel& channel);
    /// `send`, and card_refused unless the answer is 9000.
    Bytes must(apdu::Channel& channel, apdu::Command& command);
    Bytes must(apdu::Channel& channel, apdu::Header header, ByteView data, std::size_t le);
    apdu::Header header(std::uint8_t ins, std::uint8_t p1, std::uint8_t p2) const noexcept
    {
        return {cla_, ins, p1, p2};
    }

private:
    std::uint8_t cla_;
    bool in_application_ = false;
};

/// @throws Error card_refused with `status`.
[[noreturn]] void refused(apdu::StatusWord status);

/// @param path 00 01 or 00 02, below the master file. @param pin false: public objects only.
std::unique_ptr<Card> make_cps3(Path application, bool pin);
std::unique_ptr<Card> make_cps4();

} // namespace cps::card
