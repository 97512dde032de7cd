#include "cps/apdu/transmit.hpp"

#include "cps/base/error.hpp"

#include <algorithm>

namespace cps::apdu {
namespace {

constexpr std::uint8_t chained = 0x10;      // CLA: not the last block
constexpr std::uint8_t channel_bits = 0x03; // CLA: basic logical channels

} // namespace

Response transmit(Channel& card, Command& command)
{
    auto reply = card.exchange(command);
    if (const auto le = reply.status.right_le())
        reply = card.exchange(command.with_le(*le));

    const auto cla = static_cast<std::uint8_t>(command.header().cla & channel_bits);
    while (const auto waiting = reply.status.waiting()) {
        Command get_response{{cla, 0xC0, 0x00, 0x00}};
        const auto next = card.exchange(get_response.with_le(*waiting));
        if (next.data.empty() || reply.data.size() + next.data.size() > max_response_size)
            throw Error{Errc::malformed_input, "the card promised data and does not deliver",
                        next.status.raw()};
        reply.data.insert(reply.data.end(), next.data.begin(), next.data.end());
        reply.status = next.status;
    }
    return reply;
}

Response transmit_chained(Channel& card, Header header, ByteView data, std::size_t le)
{
    for (; data.size() > max_command_data; data = data.subspan(max_command_data)) {
        Command block{{static_cast<std::uint8_t>(header.cla | chained), header.ins, header.p1,
                       header.p2}};
        auto reply = transmit(card, block.with_data(data.first(max_command_data)));
        if (!reply.status.ok())
            return reply;
    }
    Command last{header};
    last.with_data(data);
    if (le != 0)
        last.with_le(le);
    return transmit(card, last);
}

} // namespace cps::apdu
