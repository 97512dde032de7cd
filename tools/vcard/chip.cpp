#include "vcard/chip.hpp"

#include "vcard/tlv.hpp"

#include "cps/base/error.hpp"

#include <openssl/rand.h>

#include <algorithm>

namespace cps::vcard {

namespace {

constexpr std::uint8_t ins_get_response = 0xC0;
constexpr std::uint8_t ins_read_binary = 0xB0;
constexpr std::uint8_t ins_pso = 0x2A;
constexpr unsigned pso_decipher = 0x8086;
constexpr std::size_t max_chain = 512; // octets; a cryptogram and its prefix have 257
constexpr std::uint8_t by_short_id = 0x80;

Bytes trailer(Status status)
{
    const auto raw = static_cast<std::uint16_t>(status);
    return {static_cast<std::uint8_t>(raw >> 8), static_cast<std::uint8_t>(raw & 0xFFU)};
}

} // namespace

Chip::Chip(std::unique_ptr<FileTree> files, const PinState& pins)
    : files_{std::move(files)}, pins_{pins}, current_{&files_->master(), nullptr}
{
}

void Chip::reset() noexcept
{
    current_ = {&files_->master(), nullptr};
    pins_.forget_verification();
    pending_.clear();
    chain_.clear();
    forget();
}

Bytes Chip::process(ByteView bytes)
{
    const auto command = parse_command(bytes);
    if (!command)
        return trailer(Status::wrong_length);
    try {
        return respond(*command);
    } catch (const Error&) {
        return trailer(Status::internal);
    }
}

Bytes Chip::respond(const Command& command)
{
    if (const auto admitted = admit(command); admitted != Status::ok)
        return trailer(admitted);
    if (command.ins == ins_get_response)
        return get_response(command);
    pending_.clear();
    if (command.is_chained())
        return collect(command);

    const auto data = take_chain(command);
    auto whole = command;
    whole.data = data;
    return deliver(whole, execute(whole));
}

Bytes Chip::get_response(const Command& command)
{
    if (pending_.empty())
        return trailer(Status::conditions_not_satisfied);
    const auto wanted = command.le.value_or(256);
    if (wanted > pending_.size())
        return trailer(with_length(0x6C, pending_.size()));
    return hand_out(std::move(pending_), wanted);
}

Bytes Chip::collect(const Command& command)
{
    if (command.ins != ins_pso || command.p1_p2() != pso_decipher) {
        chain_.clear();
        return trailer(Status::chaining_not_supported);
    }
    if (chain_.size() + command.data.size() > max_chain) {
        chain_.clear();
        return trailer(Status::wrong_length);
    }
    chain_ = join(chain_, command.data);
    return trailer(Status::ok);
}

Bytes Chip::take_chain(const Command& command)
{
    const auto before = std::exchange(chain_, {});
    const bool ends_it = command.ins == ins_pso && command.p1_p2() == pso_decipher;
    return ends_it ? join(before, command.data) : copy_of(command.data);
}

Bytes Chip::deliver(const Command& command, Reply reply)
{
    if (reply.status != Status::ok || reply.data.empty())
        return trailer(reply.status);

    const bool at_once = command.data.empty() || answers_at_once(command);
    if (!at_once || !command.le) {
        const auto announced = std::min<std::size_t>(reply.data.size(), 256);
        pending_ = std::move(reply.data);
        return trailer(with_length(0x61, announced));
    }
    const bool le_too_long = *command.le != 256 && *command.le > reply.data.size();
    if (command.ins == ins_read_binary && le_too_long)
        return trailer(with_length(0x6C, reply.data.size()));
    return hand_out(std::move(reply.data), *command.le);
}

Bytes Chip::hand_out(Bytes data, std::size_t le)
{
    const auto size = std::min(le, data.size());
    const ByteView all{data};
    pending_ = copy_of(all.subspan(size));
    const auto status = pending_.empty()
                            ? Status::ok
                            : with_length(0x61, std::min<std::size_t>(pending_.size(), 256));
    return join(all.first(size), trailer(status));
}

File* Chip::addressed_file(const Command& command)
{
    if ((command.p1 & by_short_id) == 0)
        return current_.file;
    const auto short_id = static_cast<std::uint8_t>(command.p1 & 0x1FU);
    for (auto* directory : {&files_->master(), current_.directory}) {
        const auto found = std::ranges::find(directory->files, short_id, &File::short_id);
        if (short_id != 0 && found != directory->files.end()) {
            current_.file = &*found;
            return current_.file;
        }
    }
    return nullptr;
}

Status Chip::missing_file(const Command& command) const noexcept
{
    return (command.p1 & by_short_id) != 0 ? Status::file_not_found : Status::no_current_file;
}

Reply Chip::read_binary(const Command& command)
{
    const auto* file = addressed_file(command);
    if (file == nullptr)
        return missing_file(command);
    const auto condition = file->condition(Access::read);
    if (condition == Condition::never || (condition == Condition::after_pin && !pin_verified()))
        return Status::security_not_satisfied;

    const std::size_t offset =
        (command.p1 & by_short_id) != 0 ? command.p2 : std::size_t{command.p1_p2()};
    if (offset >= file->content.size())
        return Status::outside_file;
    const auto rest = ByteView{file->content}.subspan(offset);
    return copy_of(rest.first(std::min(command.le.value_or(256), rest.size())));
}

Reply Chip::update_binary(const Command& command)
{
    auto* file = addressed_file(command);
    if (file == nullptr)
        return missing_file(command);
    const auto condition = file->condition(Access::update);
    if (condition == Condition::never || (condition == Condition::after_pin && !pin_verified()))
        return Status::security_not_satisfied;

    const std::size_t offset =
        (command.p1 & by_short_id) != 0 ? command.p2 : std::size_t{command.p1_p2()};
    if (command.data.empty() || offset + command.data.size() > file->content.size())
        return Status::wrong_length;
    std::ranges::copy(command.data,
                      file->content.begin() + static_cast<std::ptrdiff_t>(offset));
    return Status::ok;
}

Reply Chip::verify(const Command& command)
{
    if (command.p1 != 0)
        return Status::wrong_p1_p2;
    if (command.p2 != static_cast<std::uint8_t>(Code::pin) &&
        command.p2 != static_cast<std::uint8_t>(Code::puk))
        return Status::reference_not_found;
    const auto code = static_cast<Code>(command.p2);
    return command.data.empty() ? pins_.status(code) : pins_.verify(code, command.data);
}

Reply Chip::get_challenge(const Command& command)
{
    if (command.p1_p2() != 0)
        return Status::wrong_p1_p2;
    if (!command.le)
        return Status::wrong_length;
    Bytes challenge(*command.le);
    if (RAND_bytes(challenge.data(), static_cast<int>(challenge.size())) != 1)
        return Status::internal;
    return challenge;
}

} // namespace cps::vcard
