#include "vcard/pkcs15.hpp"

#include "vcard/der.hpp"

#include <array>

namespace cps::vcard::pkcs15 {

namespace {

using der::bits;
using der::integer;
using der::null;
using der::object_identifier;
using der::octet_string;
using der::sequence;
using der::utf8;

constexpr std::array<std::uint8_t, 1> pin_auth_id{0x01};

Bytes path(FileId id)
{
    return sequence(octet_string(
        Bytes{static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id & 0xFFU)}));
}

/// An AccessControlRule: free, or after the PIN.
Bytes rule(unsigned mode, bool pin)
{
    return sequence(bits({mode}), pin ? octet_string(pin_auth_id) : null());
}
constexpr unsigned mode_read = 0;
constexpr unsigned mode_update = 1;
constexpr unsigned mode_sign = 5;
constexpr unsigned mode_decipher = 7;
constexpr unsigned mode_internal_authenticate = 9;

Bytes object_id(ByteView aid, std::uint8_t number)
{
    return octet_string(join(aid, Bytes{number}));
}

/// AlgorithmInfo. OpenSC takes the algorithm references for MSE from here on CPS3.
Bytes algorithm(unsigned reference, unsigned mechanism, unsigned operation,
                std::string_view oid, unsigned card_reference)
{
    return sequence(integer(reference), integer(mechanism), null(), bits({operation}),
                    object_identifier(oid), integer(card_reference));
}
constexpr unsigned operation_sign = 1;
constexpr unsigned operation_decipher = 5;
constexpr unsigned operation_hash = 6;

Bytes cps3_algorithms()
{
    constexpr auto sha1 = "2B0E03021A";
    constexpr auto sha256 = "608648016503040201";
    constexpr auto sha1_rsa = "2A864886F70D010105";
    constexpr auto sha256_rsa = "2A864886F70D01010B";
    constexpr auto rsa = "2A864886F70D010101";
    return tlv(0xA2, algorithm(1, 0x220, operation_hash, sha1, 0x10),
               algorithm(2, 0x250, operation_hash, sha256, 0x40),
               algorithm(3, 0x06, operation_sign, sha1_rsa, 0x12),
               algorithm(4, 0x40, operation_sign, sha256_rsa, 0x42),
               algorithm(5, 0x01, operation_sign, rsa, 0x02),
               algorithm(6, 0x01, operation_decipher, rsa, 0x1A));
}

/// CommonKeyAttributes' access flags: sensitive, always sensitive, never extractable.
Bytes key_access()
{
    return bits({0, 2, 3});
}

/// PrivateRSAKeyAttributes with an empty path, which the card is published with.
Bytes rsa_attributes()
{
    constexpr unsigned modulus_bits = 2048;
    return tlv(0xA1, sequence(sequence(octet_string({})), integer(modulus_bits)));
}

Bytes key_entry(ByteView aid, const KeyEntry& key)
{
    const auto id = object_id(aid, key.number);
    const auto reference = integer(key.reference);
    switch (key.kind) {
    case KeyKind::signature: // usage: nonRepudiation
        return sequence(sequence(utf8(key.label), bits({0}), octet_string(pin_auth_id),
                                 sequence(rule(mode_sign, true))),
                        sequence(id, bits({9}), key_access(), reference), rsa_attributes());
    case KeyKind::authentication: // usage: decrypt, sign
        return sequence(sequence(utf8(key.label), bits({0, 1, 2}), octet_string(pin_auth_id),
                                 sequence(rule(mode_decipher, true),
                                          rule(mode_internal_authenticate, true))),
                        sequence(id, bits({1, 2}), key_access(), reference), rsa_attributes());
    case KeyKind::technical: // usage: sign, no code
        return sequence(sequence(utf8(key.label), bits({}),
                                 sequence(rule(mode_internal_authenticate, false))),
                        sequence(id, bits({2}), key_access(), reference), rsa_attributes());
    }
    return {};
}

/// BIT STRING of eight unused bits: real cards have it, although the octet is missing in some.
Bytes no_flags()
{
    return octets_of_hex("03020800");
}

/// CommonObjectFlags, with the code that a private object wants.
Bytes object_flags(DataAccess access)
{
    switch (access) {
    case DataAccess::open: return bits({});
    case DataAccess::writable: return bits({1});                                // modifiable
    case DataAccess::closed: return join(bits({0}), octet_string(pin_auth_id)); // private
    }
    return {};
}

} // namespace

Bytes odf(bool with_codes)
{
    return join(with_codes ? tlv(0xA8, path(aodf_id)) : Bytes{}, tlv(0xA0, path(prkdf_id)),
                tlv(0xA4, path(cdf_id)), tlv(0xA7, path(dodf_id)));
}

Bytes token_info(std::string_view prefix, const CardData& data)
{
    const auto label = std::string{prefix} + data.card_number;
    const auto algorithms = data.generation == Generation::cps3 ? cps3_algorithms() : Bytes{};
    return sequence(integer(0), utf8("ASIP SANTE"), tlv(0x80, octets(label)),
                    bits({0, 1}), // readonly, loginRequired
                    algorithms, tlv(0xA5, tlv(0x18, octets("20100316110000Z"))));
}

Bytes aodf()
{
    // Published (github.com/OpenSC/OpenSC, pull request 2224): flags 03 01 08 are no DER, and
    // the PIN names authId 02 while the PUK's is 04.
    const auto pin = join(
        octets_of_hex("3061 303F 0C1C"), octets("Code porteur de la carte CPS"),
        octets_of_hex("030108 040102 3019 3006030205200500 3006030206400500 3007030203080401 04"
                      "3003040101 A119 3017 0303040C10 0A0101 020104 020108 020104 800101"
                      "0401FF"));
    const auto puk =
        join(octets_of_hex("3058 3039 0C22"),
             octets("Code de d\xC3\xA9"
                    "blocage de la carte CPS"),
             octets_of_hex("030108 3010 3006030205200500 3006030206400500 3003040104 A116 3014"
                           "0303041D10 0A0101 020108 020108 020108 800102"));
    return join(pin, puk);
}

Bytes prkdf(ByteView aid, std::span<const KeyEntry> keys)
{
    Bytes file;
    for (const auto& key : keys)
        file = join(file, key_entry(aid, key));
    return file;
}

Bytes cdf(ByteView aid, std::span<const CertificateEntry> certificates)
{
    Bytes file;
    for (const auto& certificate : certificates) {
        const auto update = certificate.updatable ? rule(mode_update, true) : Bytes{};
        file = join(file, sequence(sequence(utf8(certificate.label), no_flags(),
                                            sequence(rule(mode_read, false), update)),
                                   sequence(object_id(aid, certificate.number)),
                                   tlv(0xA1, sequence(path(certificate.file)))));
    }
    return file;
}

Bytes dodf(std::span<const DataEntry> objects)
{
    Bytes file;
    for (const auto& object : objects) {
        const auto attributes =
            sequence(utf8(object.label), object_flags(object.access),
                     sequence(rule(mode_read, object.access == DataAccess::closed)));
        file = join(file,
                    sequence(attributes, sequence(utf8("CPS")), tlv(0xA1, path(object.file))));
    }
    return file;
}

} // namespace cps::vcard::pkcs15
