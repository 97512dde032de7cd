#pragma once

#include "vcard/card_data.hpp"
#include "vcard/chip.hpp"
#include "vcard/rsa_key.hpp"

namespace cps::vcard {

/// CPS3: the IAS ECC 1.0.1 application, T=0 on its contacts. Through its contactless side
/// (T=1) it shows other files and one technical key that needs no code.
class Cps3 final : public Chip {
public:
    /// @throws Error malformed_input for keys that are none.
    Cps3(const CardData& data, const PinState& pins);
    ByteView atr() const noexcept override;

private:
    /// What MSE SET left: an algorithm reference and a key reference.
    struct KeyTemplate {
        std::uint8_t algorithm;
        std::uint8_t key;
    };
    struct Digest {
        Hash hash;
        Bytes value;
    };
    struct SecurityEnvironment {
        std::optional<KeyTemplate> authentication;
        std::optional<KeyTemplate> signature;
        std::optional<KeyTemplate> decipherment;
        std::optional<Hash> hash;
        std::optional<Digest> digest;
    };

    Status admit(const Command& command) const noexcept override;
    Reply execute(const Command& command) override;
    bool answers_at_once(const Command& command) const noexcept override;
    void forget() noexcept override { environment_ = {}; }

    Reply select_file(const Command& command);
    Reply get_data(const Command& command);
    Reply verify_code(const Command& command);
    Reply change_pin(const Command& command);
    Reply unblock_pin(const Command& command);
    Reply set_environment(const Command& command);
    Reply internal_authenticate(const Command& command);
    Reply perform_operation(const Command& command);

    std::optional<Selection> find_selected(const Command& command);
    Reply set_key_template(std::optional<KeyTemplate>& place, ByteView data);
    Reply end_hash(ByteView data);
    Reply compute_signature(ByteView digest);
    Reply decipher(ByteView data);
    bool contactless() const noexcept { return interface_ == Interface::contactless; }
    bool keys_open() const noexcept { return contactless() || pin_verified(); }

    Interface interface_;
    std::optional<RsaKey> signature_key_;
    RsaKey authentication_key_;
    SecurityEnvironment environment_;
};

} // namespace cps::vcard
