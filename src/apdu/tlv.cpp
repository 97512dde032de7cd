#include "cps/apdu/tlv.hpp"

#include "cps/base/error.hpp"

namespace cps::apdu {
namespace {

constexpr std::size_t max_tag_octets = 3;
constexpr std::size_t max_length_octets = 4;

[[noreturn]] void refuse()
{
    throw Error{Errc::malformed_input, "a data object is not well formed"};
}

std::uint8_t take(ByteView& from)
{
    if (from.empty())
        refuse();
    const auto octet = from.front();
    from = from.subspan(1);
    return octet;
}

std::uint32_t read_tag(ByteView& from)
{
    std::uint32_t tag = take(from);
    if ((tag & 0x1F) != 0x1F)
        return tag;
    for (std::size_t octets = 1; octets != max_tag_octets; ++octets) {
        const auto next = take(from);
        tag = tag << 8 | next;
        if ((next & 0x80) == 0)
            return tag;
    }
    refuse();
}

std::size_t read_length(ByteView& from)
{
    const auto first = take(from);
    if (first < 0x80)
        return first;
    const std::size_t octets = first & 0x7F;
    if (octets == 0 || octets > max_length_octets)
        refuse();
    std::size_t length = 0;
    for (std::size_t i = 0; i != octets; ++i)
        length = length << 8 | take(from);
    return length;
}

} // namespace

Tlv TlvReader::next()
{
    auto left = rest_;
    const auto tag = read_tag(left);
    const auto length = read_length(left);
    if (length > left.size())
        refuse();
    const auto whole = rest_.first(rest_.size() - left.size() + length);
    rest_ = left.subspan(length);
    return {tag, left.first(length), whole};
}

std::optional<Tlv> TlvReader::next_if(std::uint32_t tag)
{
    auto ahead = *this;
    if (ahead.at_end())
        return std::nullopt;
    const auto object = ahead.next();
    if (object.tag != tag)
        return std::nullopt;
    *this = ahead;
    return object;
}

ByteView TlvReader::expect(std::uint32_t tag)
{
    const auto object = next();
    if (object.tag != tag)
        refuse();
    return object.value;
}

std::optional<Tlv> find_tlv(ByteView bytes, std::uint32_t tag)
{
    for (TlvReader reader{bytes}; !reader.at_end();)
        if (const auto object = reader.next(); object.tag == tag)
            return object;
    return std::nullopt;
}

} // namespace cps::apdu
