#pragma once

#include "vcard/card_data.hpp"
#include "vcard/chip.hpp"
#include "vcard/rsa_key.hpp"

namespace cps::vcard {

/// CPS4: ChipDoc, driven on logical channel 1 (every command has CLA 01), T=0 and T=1. Known
/// from published driver source alone; no real card was ever compared with this.
class Cps4 final : public Chip {
public:
    /// @throws Error malformed_input for keys that are none.
    Cps4(const CardData& data, const PinState& pins);
    ByteView atr() const noexcept override;

private:
    struct SignatureTemplate {
        std::uint8_t algorithm;
        std::uint8_t key;
    };

    Status admit(const Command& command) const noexcept override;
    Reply execute(const Command& command) override;
    bool answers_at_once(const Command& command) const noexcept override;
    void forget() noexcept override;

    Reply select_file(const Command& command);
    Reply select_application(const Command& command);
    Reply change_pin(const Command& command);
    Reply unblock_pin(const Command& command);
    Reply set_environment(const Command& command);
    Reply perform_operation(const Command& command);

    Reply compute_signature(ByteView digest);

    RsaKey signature_key_;
    RsaKey authentication_key_;
    // Volatile from here on.
    bool channel_open_ = false;
    std::optional<SignatureTemplate> signature_;
    bool raw_rsa_ = false;
};

} // namespace cps::vcard
