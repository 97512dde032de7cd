#include "vcard/cps4.hpp"

#include "vcard/contents.hpp"
#include "vcard/tlv.hpp"

#include <algorithm>
#include <array>

namespace cps::vcard {

namespace {

constexpr std::array<std::uint8_t, 17> cps4_atr{0x3B, 0x9B, 0x18, 0x80, 0x01, 0x00,
                                                0x12, 0x25, 0x00, 0x64, 0x80, 0x04,
                                                0x01, 0x00, 0x00, 0x90, 0x44};

constexpr std::uint8_t channel_1 = 0x01;
constexpr std::uint8_t basic_channel = 0x00;
constexpr std::uint8_t ins_select = 0xA4;

// SELECT, P1 and P2.
constexpr std::uint8_t select_by_id = 0x00;
constexpr std::uint8_t select_name = 0x04;
constexpr std::uint8_t select_path = 0x08;
constexpr std::uint8_t select_path_too = 0x09;
constexpr std::uint8_t return_fci = 0x00;
constexpr std::uint8_t return_fcp = 0x04;
constexpr std::uint8_t return_nothing = 0x0C;
constexpr std::uint8_t fci_tag = 0x6F;
constexpr std::uint8_t fcp_tag = 0x62;

// Applications that the card has and that do nothing here.
constexpr std::string_view security_domain_aid = "A0000001510000";
constexpr std::string_view cps2ter_aid = "8025000001FF0002";

constexpr std::uint8_t key_reference_bit = 0x80;
constexpr unsigned set_signature = 0x81B6;
constexpr unsigned set_decipherment = 0x41B8;
constexpr unsigned pso_sign = 0x9E9A;
constexpr unsigned pso_decipher = 0x8086;

struct Algorithm {
    std::uint8_t reference;
    Hash hash;
    bool pss;
};
constexpr std::array<Algorithm, 4> algorithms{{
    {0x0A, Hash::sha1, false},
    {0x28, Hash::sha256, false},
    {0x15, Hash::sha1, true},
    {0x2C, Hash::sha256, true},
}};

bool is_other_application(ByteView aid)
{
    return std::ranges::equal(aid, octets_of_hex(security_domain_aid)) ||
           std::ranges::equal(aid, octets_of_hex(cps2ter_aid));
}

} // namespace

Cps4::Cps4(const CardData& data, const PinState& pins)
    : Chip{make_file_tree(data), pins},
      signature_key_{data.sign_key},
      authentication_key_{data.auth_key}
{
}

ByteView Cps4::atr() const noexcept
{
    return cps4_atr;
}

void Cps4::forget() noexcept
{
    channel_open_ = false;
    signature_.reset();
    raw_rsa_ = false;
}

Status Cps4::admit(const Command& command) const noexcept
{
    const bool names_application = command.ins == ins_select && command.p1 == select_name;
    if (command.cla == basic_channel && names_application)
        return Status::ok;
    if ((command.cla & ~chaining_bit) != channel_1)
        return Status::unknown_class;
    return channel_open_ || names_application ? Status::ok : Status::channel_not_open;
}

/// PC/SC does not tell the card which protocol it settled on. With T=0 no Le travels with
/// data, so an Le means T=1.
bool Cps4::answers_at_once(const Command& command) const noexcept
{
    return command.le.has_value();
}

Reply Cps4::execute(const Command& command)
{
    static constexpr std::array<Instruction<Cps4>, 9> table{{
        {0x20, &Cps4::verify},
        {0x22, &Cps4::set_environment},
        {0x24, &Cps4::change_pin},
        {0x2A, &Cps4::perform_operation},
        {0x2C, &Cps4::unblock_pin},
        {0x84, &Cps4::get_challenge},
        {0xA4, &Cps4::select_file},
        {0xB0, &Cps4::read_binary},
        {0xD6, &Cps4::update_binary},
    }};
    return run_instruction<Cps4>(*this, table, command);
}

Reply Cps4::select_application(const Command& command)
{
    if (is_other_application(command.data))
        return Status::ok;
    const auto found = files().by_aid(command.data);
    if (!found)
        return Status::file_not_found;
    if (command.cla == channel_1) {
        channel_open_ = true;
        select(*found);
    }
    return Status::ok;
}

Reply Cps4::select_file(const Command& command)
{
    if (command.p2 != return_fci && command.p2 != return_fcp && command.p2 != return_nothing)
        return Status::wrong_p1_p2;

    auto path = command.data;
    switch (command.p1) {
    case select_name: return select_application(command);
    case select_by_id: // below the master file, or the master file itself
        if (path.size() != 2)
            return Status::file_not_found;
        if (file_id_of(path) == master_file_id)
            path = {};
        break;
    case select_path:
    case select_path_too: break;
    default: return Status::wrong_p1_p2;
    }

    const auto found = files().by_path(path);
    if (!found)
        return Status::file_not_found;
    select(*found);
    if (command.p2 == return_nothing || path.empty())
        return Status::ok;
    const auto tag = command.p2 == return_fcp ? fcp_tag : fci_tag;
    return found->file == nullptr ? found->directory->control_parameters(tag)
                                  : found->file->control_parameters(tag);
}

Reply Cps4::change_pin(const Command& command)
{
    constexpr unsigned new_pin = 0x0101;
    if (command.p1_p2() != new_pin)
        return Status::wrong_p1_p2;
    if (!pin_verified() && !pins().verified(Code::puk))
        return Status::security_not_satisfied;
    return pins().set_pin(command.data);
}

Reply Cps4::unblock_pin(const Command& command)
{
    constexpr unsigned reset_counter = 0x0381;
    if (command.p1_p2() != reset_counter)
        return Status::wrong_p1_p2;
    if (!command.data.empty())
        return Status::wrong_length;
    if (!pins().verified(Code::puk))
        return Status::security_not_satisfied;
    pins().unblock_pin();
    return Status::ok;
}

Reply Cps4::set_environment(const Command& command)
{
    const auto data = command.data;
    if (command.p1_p2() == set_signature) {
        const bool shaped = data.size() == 4 && data[0] == 0x91 && data[1] == 2;
        if (!shaped ||
            std::ranges::find(algorithms, data[2], &Algorithm::reference) == algorithms.end())
            return Status::wrong_data;
        if (data[3] != (cps4_signature_key | key_reference_bit) &&
            data[3] != (cps4_authentication_key | key_reference_bit))
            return Status::reference_not_found;
        signature_ = SignatureTemplate{
            data[2], static_cast<std::uint8_t>(data[3] & ~unsigned{key_reference_bit})};
        return Status::ok;
    }
    if (command.p1_p2() == set_decipherment) {
        constexpr std::array<std::uint8_t, 3> wanted{0x83, 0x01, cps4_authentication_key};
        if (!std::ranges::equal(data, wanted))
            return Status::wrong_data;
        raw_rsa_ = true;
        return Status::ok;
    }
    return Status::wrong_p1_p2;
}

Reply Cps4::perform_operation(const Command& command)
{
    switch (command.p1_p2()) {
    case pso_sign: return compute_signature(command.data);
    case pso_decipher: {
        if (!raw_rsa_)
            return Status::conditions_not_satisfied;
        if (!pin_verified())
            return Status::security_not_satisfied;
        if (command.data.size() != rsa_octets)
            return Status::wrong_length;
        auto result = authentication_key_.raw(command.data);
        return result ? Reply{std::move(*result)} : Reply{Status::wrong_data};
    }
    default: return Status::wrong_p1_p2;
    }
}

Reply Cps4::compute_signature(ByteView digest)
{
    if (!signature_)
        return Status::conditions_not_satisfied;
    if (!pin_verified())
        return Status::security_not_satisfied;
    const auto& algorithm =
        *std::ranges::find(algorithms, signature_->algorithm, &Algorithm::reference);
    const auto& key =
        signature_->key == cps4_signature_key ? signature_key_ : authentication_key_;
    auto signature = algorithm.pss ? key.sign_pss(algorithm.hash, digest)
                                   : key.sign_digest(algorithm.hash, digest);
    return signature ? Reply{std::move(*signature)} : Reply{Status::wrong_data};
}

} // namespace cps::vcard
