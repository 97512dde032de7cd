#include "cps/card/certificate_fields.hpp"

#include "cps/apdu/tlv.hpp"
#include "cps/base/error.hpp"

#include <algorithm>
#include <array>

namespace cps::card {
namespace {

using apdu::TlvReader;

constexpr std::uint32_t integer_tag = 0x02;
constexpr std::uint32_t bit_string_tag = 0x03;
constexpr std::uint32_t sequence_tag = 0x30;
constexpr std::uint32_t version_tag = 0xA0;
constexpr std::uint32_t utc_time_tag = 0x17;
constexpr std::array<std::uint8_t, 11> rsa_encryption{0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                      0xF7, 0x0D, 0x01, 0x01, 0x01};

Bytes unsigned_number(ByteView value)
{
    while (value.size() > 1 && value.front() == 0)
        value = value.subspan(1);
    return copy_of(value);
}

/// UTCTime or GeneralizedTime (RFC 5280, 4.1.2.5).
std::string date(const apdu::Tlv& time)
{
    std::string digits{text_of(time.value)};
    if (time.tag == utc_time_tag && digits.size() >= 2)
        digits.insert(0, digits[0] >= '5' ? "19" : "20");
    constexpr std::size_t date_size = 8;
    const bool good =
        digits.size() >= date_size && std::all_of(digits.begin(), digits.begin() + date_size,
                                                  [](char c) { return c >= '0' && c <= '9'; });
    return good ? digits.substr(0, date_size) : std::string{};
}

void read_rsa_key(CertificateFields& fields, ByteView spki)
{
    TlvReader members{spki};
    const auto algorithm = members.expect(sequence_tag);
    if (algorithm.size() < rsa_encryption.size() ||
        !std::ranges::equal(algorithm.first(rsa_encryption.size()), rsa_encryption))
        return;
    const auto bits = members.expect(bit_string_tag);
    if (bits.empty() || bits[0] != 0)
        throw Error{Errc::malformed_input, "a public key has loose bits"};
    TlvReader key{TlvReader{bits.subspan(1)}.expect(sequence_tag)};
    fields.modulus = unsigned_number(key.expect(integer_tag));
    fields.public_exponent = unsigned_number(key.expect(integer_tag));
}

} // namespace

CertificateFields parse_certificate(ByteView der)
{
    CertificateFields fields;
    TlvReader tbs{TlvReader{TlvReader{der}.expect(sequence_tag)}.expect(sequence_tag)};
    const auto next = [&tbs](std::uint32_t tag) {
        const auto object = tbs.next();
        if (object.tag != tag)
            throw Error{Errc::malformed_input, "a certificate is not well formed"};
        return object;
    };
    tbs.next_if(version_tag);
    fields.serial_number = copy_of(next(integer_tag).whole);
    next(sequence_tag); // signature algorithm
    fields.issuer = copy_of(next(sequence_tag).whole);
    TlvReader validity{next(sequence_tag).value};
    fields.not_before = date(validity.next());
    fields.not_after = date(validity.next());
    fields.subject = copy_of(next(sequence_tag).whole);
    const auto spki = next(sequence_tag);
    fields.spki = copy_of(spki.whole);
    read_rsa_key(fields, spki.value);
    return fields;
}

} // namespace cps::card
