#include "cps/card/pkcs15.hpp"

#include "cps/apdu/status_word.hpp"
#include "cps/apdu/tlv.hpp"
#include "cps/base/error.hpp"

#include <algorithm>

namespace cps::card {
namespace {

using apdu::TlvReader;

// Above what any card has, so that one that invents objects is told from one that has them.
constexpr std::size_t max_objects = 64;     // of each kind
constexpr std::size_t max_label = 255;      // octets (pkcs15-ub-label)
constexpr std::size_t max_id = 255;         // octets (pkcs15-ub-identifier)
constexpr std::size_t max_path = 2 * 8;     // octets: eight directories deep
constexpr std::size_t max_directories = 16; // that the ODF names
constexpr unsigned default_key_bits = 2048;

constexpr std::uint32_t integer_tag = 0x02;
constexpr std::uint32_t bit_string_tag = 0x03;
constexpr std::uint32_t octet_string_tag = 0x04;
constexpr std::uint32_t enumerated_tag = 0x0A;
constexpr std::uint32_t utf8_tag = 0x0C;
constexpr std::uint32_t sequence_tag = 0x30;
constexpr std::uint32_t type_attributes_tag = 0xA1;

[[noreturn]] void refuse()
{
    throw Error{Errc::malformed_input, "a PKCS #15 file is not well formed"};
}

std::string text(ByteView value)
{
    if (value.size() > max_label)
        refuse();
    return std::string{text_of(value)};
}

Bytes identifier(ByteView value)
{
    if (value.size() > max_id)
        refuse();
    return copy_of(value);
}

std::uint64_t number(ByteView value)
{
    if (value.empty() || value.size() > 8 || (value[0] & 0x80) != 0)
        refuse();
    std::uint64_t n = 0;
    for (const auto octet : value)
        n = n << 8 | octet;
    return n;
}

/// Bit `position` of a BIT STRING, the first being 0. Real cards hold `03 01 08`, which says
/// that eight bits of no octet are unused; it counts as no bit set.
bool bit(ByteView bits, std::size_t position)
{
    if (position / 8 + 1 >= bits.size())
        return false;
    return (bits[position / 8 + 1] & 0x80 >> position % 8) != 0;
}

/// CommonObjectAttributes (8.2.8): label and flags; the rest is not needed.
struct Common {
    std::string label;
    bool is_private = false;
};

Common read_common(ByteView value)
{
    Common common;
    TlvReader reader{value};
    if (const auto label = reader.next_if(utf8_tag))
        common.label = text(label->value);
    if (const auto flags = reader.next_if(bit_string_tag))
        common.is_private = bit(flags->value, 0);
    return common;
}

/// Path (8.2.5): absolute, or below the application.
Path read_path(ByteView value, const Path& application)
{
    const auto octets = TlvReader{value}.expect(octet_string_tag);
    if (octets.size() > max_path || octets.size() % 2 != 0)
        refuse();
    const bool absolute = octets.size() > 2 && octets[0] == 0x3F && octets[1] == 0x00;
    if (absolute)
        return copy_of(octets.subspan(2));
    auto path = application;
    path.insert(path.end(), octets.begin(), octets.end());
    return path;
}

/// Calls `each` with the members of every entry of a directory file: the common attributes,
/// then what is left. Padding after the last entry ends it.
void for_each_entry(ByteView file, const std::function<void(const Common&, TlvReader)>& each)
{
    TlvReader entries{file};
    for (std::size_t count = 0; !entries.at_end(); ++count) {
        const auto tag = entries.rest().front();
        if (tag == 0x00 || tag == 0xFF)
            return;
        if (count == max_objects)
            refuse();
        TlvReader members{entries.next().value};
        const auto common = read_common(members.expect(sequence_tag));
        each(common, members);
    }
}

/// The members of the type attributes, which are [1] { SEQUENCE { … } }.
TlvReader type_attributes(TlvReader& members)
{
    while (!members.at_end())
        if (const auto member = members.next(); member.tag == type_attributes_tag)
            return TlvReader{TlvReader{member.value}.expect(sequence_tag)};
    refuse();
}

void add_keys(Contents& contents, ByteView file)
{
    constexpr std::size_t decrypt = 1;
    constexpr std::size_t non_repudiation = 9;
    for_each_entry(file, [&](const Common& common, TlvReader members) {
        PrivateKey key;
        key.label = common.label;
        TlvReader attributes{members.expect(sequence_tag)}; // CommonKeyAttributes, 8.2.9
        key.id = identifier(attributes.expect(octet_string_tag));
        const auto usage = attributes.expect(bit_string_tag);
        key.role = bit(usage, non_repudiation) ? KeyRole::signature : KeyRole::authentication;
        key.may_decipher = bit(usage, decrypt);
        while (!attributes.at_end())
            if (const auto next = attributes.next(); next.tag == integer_tag) {
                const auto& value = next.value; // an INTEGER that may be written negative
                if (value.empty())
                    refuse();
                key.reference = value.back();
                break;
            }
        auto rsa = type_attributes(members); // PrivateRSAKeyAttributes, 8.3.2
        rsa.next();                          // its path, which is empty on these cards
        key.bits = default_key_bits;
        if (const auto bits = rsa.next_if(integer_tag))
            key.bits =
                static_cast<unsigned>(std::min<std::uint64_t>(number(bits->value), 16384));
        contents.keys.push_back(std::move(key));
    });
}

void add_certificates(Contents& contents, const Path& application, ByteView file)
{
    for_each_entry(file, [&](const Common& common, TlvReader members) {
        TlvReader attributes{members.expect(sequence_tag)}; // CommonCertificateAttributes
        Certificate certificate{
            identifier(attributes.expect(octet_string_tag)), common.label, {}};
        const auto value = type_attributes(members).next(); // X509CertificateAttributes, 8.6.2
        if (value.tag != sequence_tag)
            return; // given by value or by URL: not on these cards
        certificate.path = read_path(value.value, application);
        contents.certificates.push_back(std::move(certificate));
    });
}

void add_data(Contents& contents, const Path& application, ByteView file)
{
    for_each_entry(file, [&](const Common& common, TlvReader members) {
        DataObject object;
        object.label = common.label;
        object.is_private = common.is_private;
        TlvReader attributes{members.expect(sequence_tag)}; // CommonDataObjectAttributes
        if (const auto name = attributes.next_if(utf8_tag))
            object.application = text(name->value);
        object.path = read_path(type_attributes(members).rest(), application);
        contents.data.push_back(std::move(object));
    });
}

void add_pins(Contents& contents, ByteView file)
{
    constexpr std::size_t so_pin = 7; // of PasswordFlags
    constexpr std::uint32_t reference_tag = 0x80;
    for_each_entry(file, [&](const Common& common, TlvReader members) {
        members.expect(sequence_tag); // CommonAuthenticationObjectAttributes: ids that do not
                                      // pair PIN and PUK on these cards, so roles do
        auto attributes = type_attributes(members);
        const auto flags = attributes.expect(bit_string_tag);
        attributes.expect(enumerated_tag);
        PinFormat format;
        format.label = common.label;
        format.min_size = number(attributes.expect(integer_tag));
        format.stored_size = number(attributes.expect(integer_tag));
        if (const auto most = attributes.next_if(integer_tag))
            format.max_size = number(most->value);
        else
            format.max_size = format.stored_size;
        attributes.next_if(reference_tag);
        if (const auto padding = attributes.next_if(octet_string_tag);
            padding && padding->value.size() == 1)
            format.padding = padding->value[0];
        constexpr std::size_t longest = 16; // octets: two of them fit a PIN change
        if (format.stored_size > longest || format.max_size > format.stored_size ||
            format.min_size == 0 || format.min_size > format.max_size)
            refuse();
        (bit(flags, so_pin) ? contents.puk : contents.pin) = std::move(format);
    });
}

/// What is at `path`, or nothing where the card has no such file.
Bytes read_if_present(const Path& path, const std::function<Bytes(const Path&)>& read)
{
    try {
        return read(path);
    } catch (const Error& e) {
        if (e.code() == Errc::card_refused && e.native() == apdu::sw::file_missing.raw())
            return {};
        throw;
    }
}

Path below(const Path& application, std::uint8_t high, std::uint8_t low)
{
    auto path = application;
    path.push_back(high);
    path.push_back(low);
    return path;
}

} // namespace

Path token_info_path(const Path& application)
{
    return below(application, 0x50, 0x32);
}

TokenInfo parse_token_info(ByteView file)
{
    constexpr std::uint32_t label_tag = 0x80;
    constexpr std::uint32_t last_update_tag = 0xA5;
    constexpr std::uint32_t generalized_time_tag = 0x18;
    TokenInfo info;
    TlvReader members{TlvReader{file}.expect(sequence_tag)};
    members.expect(integer_tag); // version
    while (!members.at_end()) {
        const auto member = members.next();
        if (member.tag == utf8_tag)
            info.manufacturer = text(member.value);
        else if (member.tag == label_tag)
            info.label = text(member.value);
        else if (member.tag == last_update_tag)
            info.last_update = text(TlvReader{member.value}.expect(generalized_time_tag));
    }
    return info;
}

Contents read_contents(const Path& application, bool with_keys,
                       const std::function<Bytes(const Path&)>& read)
{
    constexpr std::uint32_t private_keys_tag = 0xA0;
    constexpr std::uint32_t certificates_tag = 0xA4;
    constexpr std::uint32_t data_tag = 0xA7;
    constexpr std::uint32_t authentication_tag = 0xA8;
    Contents contents;
    const auto odf = read_if_present(below(application, 0x50, 0x31), read);
    if (odf.empty())
        return contents;
    contents.token = parse_token_info(read(token_info_path(application)));
    TlvReader directories{odf};
    for (std::size_t count = 0; !directories.at_end() && directories.rest().front() != 0x00 &&
                                directories.rest().front() != 0xFF;
         ++count) {
        if (count == max_directories)
            refuse();
        const auto directory = directories.next();
        const bool of_keys =
            directory.tag == private_keys_tag || directory.tag == authentication_tag;
        if ((of_keys && !with_keys) ||
            (!of_keys && directory.tag != certificates_tag && directory.tag != data_tag))
            continue;
        const auto path =
            read_path(TlvReader{directory.value}.expect(sequence_tag), application);
        const auto file = read_if_present(path, read);
        if (directory.tag == private_keys_tag)
            add_keys(contents, file);
        else if (directory.tag == certificates_tag)
            add_certificates(contents, application, file);
        else if (directory.tag == data_tag)
            add_data(contents, application, file);
        else
            add_pins(contents, file);
    }
    return contents;
}

} // namespace cps::card
