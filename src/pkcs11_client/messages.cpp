#include "messages.hpp"

#include "wire.hpp"

#include <cerrno>

namespace cps::pkcs11 {
namespace {

/// Reader, label and serial number: CK_SLOT_INFO's and CK_TOKEN_INFO's longest text.
constexpr std::size_t max_text = 64; // octets
constexpr int all_tries = 3;

constexpr Literal malformed = "the module's process sent a malformed message";

Error malformed_message() noexcept
{
    return {Errc::module_failed, malformed, EBADMSG};
}

void put_number(Bytes& out, std::uint64_t number, unsigned octets)
{
    for (unsigned left = octets; left-- != 0;)
        out.push_back(static_cast<std::uint8_t>(number >> 8 * left & 0xFF));
}

void put_field(Bytes& out, ByteView field)
{
    put_number(out, field.size(), 4);
    out.insert(out.end(), field.begin(), field.end());
}

/// Takes fields off the front; once one is missing or too long, all that follow are.
class Fields {
public:
    explicit Fields(ByteView body) noexcept : rest_{body} {}

    std::uint64_t number(unsigned octets)
    {
        std::uint64_t value = 0;
        for (const auto octet : take(octets))
            value = value << 8 | octet;
        return value;
    }
    ByteView field(std::size_t most)
    {
        const auto size = number(4);
        if (size > most)
            good_ = false;
        return take(good_ ? static_cast<std::size_t>(size) : 0);
    }
    bool good() const noexcept { return good_; }
    /// Everything was there and nothing is left.
    bool complete() const noexcept { return good_ && rest_.empty(); }

private:
    ByteView take(std::size_t size)
    {
        if (size > rest_.size())
            good_ = false;
        if (!good_)
            return {};
        const auto taken = rest_.first(size);
        rest_ = rest_.subspan(size);
        return taken;
    }

    ByteView rest_;
    bool good_ = true;
};

/// What a refusal may say, in the order of its number on the wire.
constexpr Errc refusals[] = {Errc::module_failed, Errc::pin_blocked,   Errc::card_removed,
                             Errc::card_in_use,   Errc::not_supported, Errc::bad_argument,
                             Errc::pin_cancelled, Errc::pin_timeout};

Literal words(Errc code) noexcept
{
    if (code == Errc::pin_blocked)
        return "the card's PIN is blocked";
    if (code == Errc::card_removed)
        return "the card was removed";
    if (code == Errc::card_in_use)
        return "another program uses the card";
    if (code == Errc::not_supported)
        return "the module cannot do that with this reader and card";
    if (code == Errc::pin_cancelled)
        return "nothing was typed on the reader, or it was cancelled there";
    if (code == Errc::pin_timeout)
        return "nothing was typed on the reader in time";
    if (code == Errc::bad_argument)
        return "the module's process refused the request";
    return "the PKCS #11 module failed";
}

} // namespace

Bytes encode_listing(const std::vector<TokenCertificate>& listing)
{
    Bytes out;
    put_number(out, listing.size(), 4);
    for (const auto& entry : listing) {
        put_field(out, entry.der);
        put_field(out, entry.id);
        put_field(out, octets(entry.reader));
        put_field(out, octets(entry.token_label));
        put_field(out, octets(entry.serial));
        put_number(out, static_cast<std::uint64_t>(entry.tries_left), 1);
        put_number(out, entry.pin_pad ? 1 : 0, 1);
    }
    return out;
}

Result<std::vector<TokenCertificate>> decode_listing(ByteView body)
{
    Fields fields{body};
    const auto count = fields.number(4);
    if (count > max_certificates)
        return malformed_message();

    std::vector<TokenCertificate> listing;
    for (std::size_t index = 0; index != count && fields.good(); ++index) {
        TokenCertificate entry;
        entry.index = index;
        entry.der = copy_of(fields.field(max_certificate));
        entry.id = copy_of(fields.field(max_id));
        entry.reader = text_of(fields.field(max_text));
        entry.token_label = text_of(fields.field(max_text));
        entry.serial = text_of(fields.field(max_text));
        entry.tries_left = static_cast<int>(fields.number(1));
        entry.pin_pad = fields.number(1) != 0;
        if (entry.tries_left > all_tries)
            return malformed_message();
        listing.push_back(std::move(entry));
    }
    if (!fields.complete())
        return malformed_message();
    return listing;
}

Bytes encode_wanted(const Wanted& wanted)
{
    Bytes out;
    put_field(out, octets(wanted.reader));
    put_field(out, wanted.id);
    put_field(out, wanted.der);
    return out;
}

Result<Wanted> decode_wanted(ByteView body)
{
    Fields fields{body};
    Wanted wanted;
    wanted.reader = text_of(fields.field(max_text));
    wanted.id = copy_of(fields.field(max_id));
    wanted.der = copy_of(fields.field(max_certificate));
    if (!fields.complete())
        return malformed_message();
    return wanted;
}

Bytes encode_sign_request(ByteView certificate, ByteView digest_info)
{
    Bytes out;
    put_field(out, certificate);
    put_field(out, digest_info);
    return out;
}

Result<SignRequest> decode_sign_request(ByteView body)
{
    Fields fields{body};
    SignRequest request;
    request.certificate = copy_of(fields.field(max_certificate));
    request.digest_info = copy_of(fields.field(max_digest_info));
    if (!fields.complete())
        return malformed_message();
    return request;
}

Bytes encode_signed(const Signed& answer)
{
    Bytes out;
    put_number(out, answer.card_reset ? 1 : 0, 1);
    out.insert(out.end(), answer.signature.begin(), answer.signature.end());
    return out;
}

Result<Signed> decode_signed(ByteView body)
{
    if (body.size() < 2 || body[0] > 1)
        return malformed_message();
    return Signed{copy_of(body.subspan(1)), body[0] == 1};
}

Bytes encode_refusal(const Error& error)
{
    std::uint8_t number = 0;
    for (std::uint8_t i = 0; i != std::size(refusals); ++i)
        if (refusals[i] == error.code())
            number = i;
    Bytes out;
    put_number(out, number, 1);
    put_number(out, static_cast<std::uint64_t>(error.native()), 8);
    return out;
}

Error decode_refusal(ByteView body) noexcept
{
    Fields fields{body};
    const auto number = fields.number(1);
    const auto native = static_cast<long>(fields.number(8));
    if (!fields.complete() || number >= std::size(refusals))
        return malformed_message();
    const auto code = refusals[number];
    return {code, words(code), native};
}

Result<int> decode_tries(ByteView body)
{
    if (body.size() != 1 || body[0] > all_tries)
        return malformed_message();
    return body[0];
}

Result<WrongPin> decode_wrong_pin(ByteView body)
{
    if (body.size() != 1 || body[0] < 1 || body[0] > all_tries)
        return malformed_message();
    return WrongPin{body[0]};
}

} // namespace cps::pkcs11
