#include "vcard/cps3.hpp"

#include "vcard/contents.hpp"
#include "vcard/resumed_hash.hpp"
#include "vcard/sdo.hpp"
#include "vcard/tlv.hpp"

#include <array>

namespace cps::vcard {

namespace {

constexpr std::array<std::uint8_t, 17> contact_atr{0x3B, 0xAC, 0x00, 0x40, 0x2A, 0x00,
                                                   0x12, 0x25, 0x00, 0x64, 0x80, 0x00,
                                                   0x03, 0x10, 0x00, 0x90, 0x00};
constexpr std::array<std::uint8_t, 20> contactless_atr{0x3B, 0x8F, 0x80, 0x01, 0x00, 0x31, 0xB8,
                                                       0x64, 0x04, 0xB0, 0xEC, 0xC1, 0x73, 0x94,
                                                       0x01, 0x80, 0x82, 0x90, 0x00, 0x0E};

// SELECT, P1 and P2 (ISO/IEC 7816-4:2013, tables 62 and 63; 09 is from the master file here).
constexpr std::uint8_t select_master = 0x00;
constexpr std::uint8_t select_child_file = 0x02;
constexpr std::uint8_t select_parent = 0x03;
constexpr std::uint8_t select_name = 0x04;
constexpr std::uint8_t select_path = 0x09;
constexpr std::uint8_t return_fci = 0x00;
constexpr std::uint8_t return_fcp = 0x04;
constexpr std::uint8_t return_nothing = 0x0C;
constexpr std::uint8_t fcp_tag = 0x62;

// MSE SET: P2 names the control reference template (ISO/IEC 7816-4:2013, table 79).
constexpr std::uint8_t set_for_use = 0x41;
constexpr std::uint8_t authentication_template = 0xA4;
constexpr std::uint8_t hash_template = 0xAA;
constexpr std::uint8_t signature_template = 0xB6;
constexpr std::uint8_t decipherment_template = 0xB8;
constexpr std::uint8_t algorithm_tag = 0x80;
constexpr std::uint8_t key_tag = 0x84;

// Algorithm references, as TokenInfo lists them.
constexpr std::uint8_t hash_sha1 = 0x10;
constexpr std::uint8_t hash_sha256 = 0x40;
constexpr std::uint8_t sign_sha1 = 0x12;
constexpr std::uint8_t sign_sha256 = 0x42;
constexpr std::uint8_t authenticate_rsa = 0x02;
constexpr std::uint8_t decipher_rsa = 0x1A;

// PSO: P1 and P2 (ISO/IEC 7816-8:2019, 5.4).
constexpr unsigned pso_hash = 0x90A0;
constexpr unsigned pso_sign = 0x9E9A;
constexpr unsigned pso_decipher = 0x8086;
constexpr std::uint8_t begun_hash_tag = 0x90;
constexpr std::uint8_t last_block_tag = 0x80;
constexpr std::uint8_t padding_indicator = 0x81;

} // namespace

Cps3::Cps3(const CardData& data, const PinState& pins)
    : Chip{make_file_tree(data), pins},
      interface_{data.interface},
      authentication_key_{data.auth_key}
{
    if (!contactless())
        signature_key_.emplace(data.sign_key);
}

ByteView Cps3::atr() const noexcept
{
    return contactless() ? ByteView{contactless_atr} : ByteView{contact_atr};
}

Status Cps3::admit(const Command& command) const noexcept
{
    return (command.cla & ~chaining_bit) == 0 ? Status::ok : Status::unknown_class;
}

bool Cps3::answers_at_once(const Command& command) const noexcept
{
    return contactless() && command.le.has_value();
}

Reply Cps3::execute(const Command& command)
{
    static constexpr std::array<Instruction<Cps3>, 11> table{{
        {0x20, &Cps3::verify_code},
        {0x22, &Cps3::set_environment},
        {0x24, &Cps3::change_pin},
        {0x2A, &Cps3::perform_operation},
        {0x2C, &Cps3::unblock_pin},
        {0x84, &Cps3::get_challenge},
        {0x88, &Cps3::internal_authenticate},
        {0xA4, &Cps3::select_file},
        {0xB0, &Cps3::read_binary},
        {0xCB, &Cps3::get_data},
        {0xD6, &Cps3::update_binary},
    }};
    return run_instruction<Cps3>(*this, table, command);
}

std::optional<Selection> Cps3::find_selected(const Command& command)
{
    const auto data = command.data;
    switch (command.p1) {
    case select_master:
        if (file_id_of(data) == master_file_id)
            return files().by_path({});
        return std::nullopt;
    case select_child_file:
        if (const auto id = file_id_of(data))
            if (auto* file = current().directory->find(*id))
                return Selection{current().directory, file};
        return std::nullopt;
    case select_parent: return files().by_path({});
    case select_name: return files().by_aid(data);
    case select_path: // the leading 3F00 is wanted
        if (data.size() >= 2 && file_id_of(data.first(2)) == master_file_id)
            return files().by_path(data.subspan(2));
        return std::nullopt;
    default: return std::nullopt;
    }
}

Reply Cps3::select_file(const Command& command)
{
    const auto p1 = command.p1;
    const bool known_p1 = p1 == select_master || p1 == select_child_file ||
                          p1 == select_parent || p1 == select_name || p1 == select_path;
    const bool known_p2 =
        command.p2 == return_fci || command.p2 == return_fcp || command.p2 == return_nothing;
    if (!known_p1 || !known_p2)
        return Status::wrong_p1_p2;

    const auto found = find_selected(command);
    // FCI is given for no file identifier and for no name but the card's root application.
    const bool root = found && found->directory == &files().master();
    if (command.p2 == return_fci &&
        (p1 == select_child_file || (p1 == select_name && found && !root)))
        return Status::wrong_p1_p2;
    if (!found)
        return Status::file_not_found;
    select(*found);
    if (command.p2 == return_nothing || found->file == nullptr) // a directory has no FCP
        return Status::ok;
    return found->file->control_parameters(fcp_tag);
}

Reply Cps3::get_data(const Command& command)
{
    constexpr unsigned current_template = 0x3FFF;
    if (command.p1_p2() != current_template)
        return Status::wrong_p1_p2;
    const bool at_master = current().directory == &files().master();
    return get_security_data_object(
        command.data, at_master ? SdoScope::master : SdoScope::application, pins().state());
}

Reply Cps3::verify_code(const Command& command)
{
    return contactless() ? Reply{Status::reference_not_found} : verify(command);
}

Reply Cps3::change_pin(const Command& command)
{
    constexpr std::uint8_t old_and_new = 0x00;
    constexpr std::uint8_t new_alone = 0x01;
    if (contactless() || command.p2 != static_cast<std::uint8_t>(Code::pin))
        return Status::reference_not_found;
    constexpr auto size = PaddedCode{}.size();
    switch (command.p1) {
    case old_and_new:
        if (command.data.size() != 2 * size)
            return Status::wrong_length;
        if (const auto result = pins().verify(Code::pin, command.data.first(size));
            result != Status::ok)
            return result;
        return pins().set_pin(command.data.subspan(size));
    case new_alone:
        if (!pin_verified())
            return Status::security_not_satisfied;
        return pins().set_pin(command.data);
    default: return Status::wrong_p1_p2;
    }
}

Reply Cps3::unblock_pin(const Command& command)
{
    constexpr std::uint8_t new_pin = 0x02;
    constexpr std::uint8_t counter_alone = 0x03;
    if (contactless() || command.p2 != static_cast<std::uint8_t>(Code::pin))
        return Status::reference_not_found;
    if (command.p1 != new_pin && command.p1 != counter_alone)
        return Status::wrong_p1_p2;
    if (!pins().verified(Code::puk))
        return Status::security_not_satisfied;
    if (command.p1 == new_pin)
        if (const auto result = pins().set_pin(command.data); result != Status::ok)
            return result;
    pins().unblock_pin();
    return Status::ok;
}

Reply Cps3::set_environment(const Command& command)
{
    if (command.p1 != set_for_use)
        return Status::wrong_p1_p2;
    switch (command.p2) {
    case authentication_template:
        return set_key_template(environment_.authentication, command.data);
    case signature_template: return set_key_template(environment_.signature, command.data);
    case decipherment_template:
        return set_key_template(environment_.decipherment, command.data);
    case hash_template: break;
    default: return Status::wrong_p1_p2;
    }

    const auto objects = parse_data_objects(command.data);
    const auto algorithm = objects ? find_object(*objects, algorithm_tag) : std::nullopt;
    if (!algorithm || algorithm->size() != 1 ||
        (algorithm->front() != hash_sha1 && algorithm->front() != hash_sha256))
        return Status::wrong_data;
    environment_.hash = algorithm->front() == hash_sha1 ? Hash::sha1 : Hash::sha256;
    environment_.digest.reset();
    return Status::ok;
}

Reply Cps3::set_key_template(std::optional<KeyTemplate>& place, ByteView data)
{
    const auto objects = parse_data_objects(data);
    if (!objects)
        return Status::wrong_data;
    const auto algorithm = find_object(*objects, algorithm_tag);
    const auto key = find_object(*objects, key_tag);
    if (!algorithm || algorithm->size() != 1 || !key || key->size() != 1)
        return Status::wrong_data;
    const bool exists = key->front() == cps3_authentication_key ||
                        (key->front() == cps3_signature_key && signature_key_);
    if (!exists)
        return Status::reference_not_found;
    place = KeyTemplate{algorithm->front(), key->front()};
    return Status::ok;
}

Reply Cps3::internal_authenticate(const Command& command)
{
    if (command.p1_p2() != 0)
        return Status::wrong_p1_p2;
    const auto& use = environment_.authentication;
    if (!use || use->algorithm != authenticate_rsa || use->key != cps3_authentication_key)
        return Status::conditions_not_satisfied;
    if (!keys_open())
        return Status::security_not_satisfied;
    if (command.data.empty() || command.data.size() > max_type1_input)
        return Status::wrong_length;
    auto signature = authentication_key_.sign_type1(command.data);
    return signature ? Reply{std::move(*signature)} : Reply{Status::wrong_data};
}

Reply Cps3::perform_operation(const Command& command)
{
    switch (command.p1_p2()) {
    case pso_hash: return end_hash(command.data);
    case pso_sign: return compute_signature(command.data);
    case pso_decipher: return decipher(command.data);
    default: return Status::wrong_p1_p2;
    }
}

Reply Cps3::end_hash(ByteView data)
{
    if (!environment_.hash)
        return Status::conditions_not_satisfied;
    environment_.digest.reset();
    const auto objects = parse_data_objects(data);
    const auto begun = objects ? find_object(*objects, begun_hash_tag) : std::nullopt;
    const auto rest = objects ? find_object(*objects, last_block_tag) : std::nullopt;
    if (!begun || !rest)
        return Status::wrong_data;
    auto value = finish_hash(*environment_.hash, *begun, *rest);
    if (!value)
        return Status::wrong_data;
    environment_.digest = Digest{*environment_.hash, std::move(*value)};
    return Status::ok;
}

Reply Cps3::compute_signature(ByteView given)
{
    const auto& use = environment_.signature;
    if (!use || use->key != cps3_signature_key || !signature_key_ ||
        (use->algorithm != sign_sha1 && use->algorithm != sign_sha256))
        return Status::conditions_not_satisfied;
    if (!keys_open())
        return Status::security_not_satisfied;

    const auto hash = use->algorithm == sign_sha1 ? Hash::sha1 : Hash::sha256;
    Bytes digest = copy_of(given);
    if (given.empty()) { // the one that PSO HASH left, once
        const auto kept = std::exchange(environment_.digest, std::nullopt);
        if (!kept || kept->hash != hash)
            return Status::conditions_not_satisfied;
        digest = kept->value;
    }
    auto signature = signature_key_->sign_digest(hash, digest);
    return signature ? Reply{std::move(*signature)} : Reply{Status::wrong_data};
}

Reply Cps3::decipher(ByteView data)
{
    const auto& use = environment_.decipherment;
    if (!use || use->algorithm != decipher_rsa || use->key != cps3_authentication_key ||
        contactless())
        return Status::conditions_not_satisfied;
    if (!pin_verified())
        return Status::security_not_satisfied;
    if (data.size() != 1 + rsa_octets || data.front() != padding_indicator)
        return Status::wrong_data;
    auto clear = authentication_key_.decipher(data.subspan(1));
    return clear ? Reply{std::move(*clear)} : Reply{Status::wrong_data};
}

} // namespace cps::vcard
