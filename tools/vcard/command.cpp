#include "vcard/command.hpp"

namespace cps::vcard {

namespace {

constexpr std::size_t header_size = 4;

std::size_t le_of(std::uint8_t encoded) noexcept
{
    return encoded == 0 ? 256 : encoded;
}

} // namespace

std::optional<Command> parse_command(ByteView bytes)
{
    if (bytes.size() < header_size)
        return std::nullopt;
    Command command{bytes[0], bytes[1], bytes[2], bytes[3], {}, std::nullopt};

    const auto body = bytes.subspan(header_size);
    if (body.empty())
        return command;
    if (body.size() == 1) {
        command.le = le_of(body[0]);
        return command;
    }

    const std::size_t lc = body[0];
    const bool has_le = body.size() == lc + 2;
    if (lc == 0 || (body.size() != lc + 1 && !has_le))
        return std::nullopt;
    command.data = body.subspan(1, lc);
    if (has_le)
        command.le = le_of(body.back());
    return command;
}

} // namespace cps::vcard
