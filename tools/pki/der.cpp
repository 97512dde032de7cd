#include "pki/der.hpp"

#include "pki/openssl.hpp"

#include <bit>
#include <ctime>

namespace cps::pki::der {
namespace {

enum : std::uint8_t {
    tag_integer = 0x02,
    tag_bit_string = 0x03,
    tag_octet_string = 0x04,
    tag_utf8 = 0x0C,
    tag_printable = 0x13,
    tag_ia5 = 0x16,
    tag_sequence = 0x30,
    class_context = 0x80,
    flag_constructed = 0x20,
};

void append(Bytes& out, ByteView more)
{
    out.insert(out.end(), more.begin(), more.end());
}

} // namespace

Bytes tagged(std::uint8_t tag, ByteView contents)
{
    Bytes out{tag};
    const auto size = contents.size();
    if (size < 0x80) {
        out.push_back(static_cast<std::uint8_t>(size));
    } else if (size < 0x100) {
        out.insert(out.end(), {0x81, static_cast<std::uint8_t>(size)});
    } else if (size < 0x10000) {
        out.insert(out.end(), {0x82, static_cast<std::uint8_t>(size >> 8),
                               static_cast<std::uint8_t>(size & 0xFF)});
    } else {
        throw Error{Errc::bad_argument, "no extension is that long"};
    }
    append(out, contents);
    return out;
}

Bytes sequence(std::initializer_list<Bytes> parts)
{
    Bytes contents;
    for (const auto& part : parts)
        append(contents, part);
    return tagged(tag_sequence, contents);
}

Bytes integer(unsigned value)
{
    if (value > 127)
        throw Error{Errc::bad_argument, "only small integers are written"};
    return {tag_integer, 1, static_cast<std::uint8_t>(value)};
}

Bytes octet_string(ByteView contents)
{
    return tagged(tag_octet_string, contents);
}

Bytes oid(std::string_view dotted)
{
    const ObjectPtr object{OBJ_txt2obj(std::string{dotted}.c_str(), 1)};
    if (!object)
        throw Error{Errc::bad_argument, "not a dotted object identifier"};
    return der_of(i2d_ASN1_OBJECT, object.get());
}

Bytes printable_string(std::string_view text)
{
    return tagged(tag_printable, octets(text));
}
Bytes utf8_string(std::string_view text)
{
    return tagged(tag_utf8, octets(text));
}
Bytes ia5_string(std::string_view text)
{
    return tagged(tag_ia5, octets(text));
}

std::string generalized_time(EpochSeconds time)
{
    const auto seconds = static_cast<std::time_t>(to_number(time));
    std::tm parts{};
    if (::gmtime_r(&seconds, &parts) == nullptr)
        throw Error{Errc::bad_argument, "no such time"};
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &parts)};
}

Bytes constructed(unsigned n, ByteView contents)
{
    return tagged(static_cast<std::uint8_t>(class_context | flag_constructed | n), contents);
}
Bytes primitive(unsigned n, ByteView contents)
{
    return tagged(static_cast<std::uint8_t>(class_context | n), contents);
}

Bytes named_bits(unsigned mask)
{
    Bytes contents{0};
    for (unsigned first = 0; mask >> first != 0; first += 8) {
        std::uint8_t octet = 0;
        for (unsigned bit = 0; bit != 8; ++bit)
            if ((mask >> (first + bit) & 1) != 0)
                octet = static_cast<std::uint8_t>(octet | 0x80 >> bit);
        contents.push_back(octet);
    }
    if (contents.size() > 1)
        contents[0] = static_cast<std::uint8_t>(std::countr_zero(contents.back()));
    return tagged(tag_bit_string, contents);
}

} // namespace cps::pki::der
