#include "cpx.hpp"
#include "secret_command.hpp"

#include "cps/apdu/tlv.hpp"
#include "cps/apdu/transmit.hpp"
#include "cps/base/error.hpp"

#include <algorithm>
#include <array>

namespace cps::card {
namespace {

constexpr std::uint8_t channel_one = 0x01; // every command goes on logical channel 1
constexpr std::array<std::uint8_t, 8> root_aid{0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x01, 0x00};
// Other applications, whose selection brings back a card that refuses the root (recovery).
constexpr std::array<std::uint8_t, 7> domain_aid{0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00};
constexpr std::array<std::uint8_t, 8> cps2ter_aid{0x80, 0x25, 0x00, 0x00,
                                                  0x01, 0xFF, 0x00, 0x02};

constexpr std::size_t modulus_size = 256; // octets: RSA 2048 alone
constexpr std::uint8_t local_key = 0x80;  // beside the key's number in a reference
constexpr std::size_t min_padding = 8;    // octets (RFC 8017, 9.2 and 7.2.2)

struct Algorithm {
    std::uint8_t pkcs1;
    std::uint8_t pss;
};
constexpr Algorithm sha1_references{0x0A, 0x15};
constexpr Algorithm sha256_references{0x28, 0x2C};

/// NXP ChipDoc.
class Cps4 final : public Cpx {
public:
    Cps4() : Cpx{channel_one} {}

    Path application() const override { return {0x00, 0x01}; }
    bool has_pin() const noexcept override { return true; }
    PinOutcome change_pin(apdu::Channel& channel, ByteView old_padded,
                          ByteView new_padded) override;
    void unblock(apdu::Channel& channel, ByteView new_padded) override;
    bool can_sign(const PrivateKey& key, Scheme scheme,
                  crypto::DigestAlgorithm algorithm) const noexcept override;
    Bytes sign(apdu::Channel& channel, const PrivateKey& key, Scheme scheme,
               crypto::DigestAlgorithm algorithm, ByteView value) override;
    std::optional<Bytes> decipher(apdu::Channel& channel, const PrivateKey& key,
                                  ByteView cryptogram) override;
    /// Its CHANGE REFERENCE DATA takes the new PIN alone, after VERIFY: no PIN pad does that.
    std::optional<apdu::Header> change_header() const noexcept override { return std::nullopt; }

private:
    std::optional<std::size_t> select(apdu::Channel& channel, const Path& path) override;
    void select_application(apdu::Channel& channel) override;
    apdu::Response send(apdu::Channel& channel, apdu::Command& command) override;
    void open_channel(apdu::Channel& channel);
    void set_new_pin(apdu::Channel& channel, ByteView new_padded);
    /// RSA with the authentication key on a whole block.
    apdu::Response raw_rsa(apdu::Channel& channel, const PrivateKey& key, ByteView block);
};

apdu::StatusWord select_aid(apdu::Channel& channel, std::uint8_t cla, ByteView aid)
{
    apdu::Command command{{cla, 0xA4, 0x04, 0x0C}};
    return apdu::transmit(channel, command.with_data(aid)).status;
}

void Cps4::open_channel(apdu::Channel& channel)
{
    auto status = select_aid(channel, channel_one, root_aid);
    if (status.ok())
        return;
    select_aid(channel, channel_one, domain_aid);
    select_aid(channel, 0x00, cps2ter_aid);
    status = select_aid(channel, channel_one, root_aid);
    if (!status.ok())
        refused(status);
}

/// The channel is gone after a reset; a card that says so has not looked at the command, so
/// that it may be sent again, a PIN included.
apdu::Response Cps4::send(apdu::Channel& channel, apdu::Command& command)
{
    auto reply = apdu::transmit(channel, command);
    if (reply.status != apdu::sw::channel_lost)
        return reply;
    open_channel(channel);
    return apdu::transmit(channel, command);
}

std::optional<std::size_t> Cps4::select(apdu::Channel& channel, const Path& path)
{
    constexpr std::uint32_t fci_tag = 0x6F;
    constexpr std::uint32_t size_tag = 0x80;
    const auto answer = must(channel, header(0xA4, 0x08, 0x00), path, apdu::max_le);
    const auto fci = apdu::TlvReader{answer}.expect(fci_tag);
    const auto size = apdu::find_tlv(fci, size_tag);
    if (!size || size->value.size() != 2)
        return std::nullopt;
    return static_cast<std::size_t>(size->value[0]) << 8 | size->value[1];
}

void Cps4::select_application(apdu::Channel& channel)
{
    // A file of it: the form that is known of these cards.
    auto file = application();
    file.insert(file.end(), {0x50, 0x32});
    select(channel, file);
}

PinOutcome Cps4::change_pin(apdu::Channel& channel, ByteView old_padded, ByteView new_padded)
{
    const auto outcome = verify(channel, PinRole::user, old_padded);
    if (outcome.kind == PinOutcome::accepted)
        set_new_pin(channel, new_padded);
    return outcome;
}

void Cps4::set_new_pin(apdu::Channel& channel, ByteView new_padded)
{
    SecretCommand command{header(0x24, 0x01, static_cast<std::uint8_t>(PinRole::user))};
    must(channel, command->with_data(new_padded));
}

void Cps4::unblock(apdu::Channel& channel, ByteView new_padded)
{
    must(channel, header(0x2C, 0x03, 0x81), {}, 0);
    set_new_pin(channel, new_padded);
}

bool Cps4::can_sign(const PrivateKey& key, Scheme scheme,
                    crypto::DigestAlgorithm algorithm) const noexcept
{
    using enum crypto::DigestAlgorithm;
    const bool known = algorithm == sha1 || algorithm == sha256;
    switch (scheme) {
    case Scheme::pkcs1_t: return key.role == KeyRole::authentication;
    case Scheme::pkcs1_digest: return key.role == KeyRole::signature && known;
    case Scheme::pss_digest: return known;
    }
    return false;
}

Bytes Cps4::sign(apdu::Channel& channel, const PrivateKey& key, Scheme scheme,
                 crypto::DigestAlgorithm algorithm, ByteView value)
{
    if (!can_sign(key, scheme, algorithm))
        throw Error{Errc::not_supported, "the key cannot sign in this way"};
    enter_application(channel);
    Bytes signature;
    if (scheme == Scheme::pkcs1_t) {
        if (value.empty() || value.size() > modulus_size - 3 - min_padding)
            throw Error{Errc::too_large, "what is to be signed does not fit the key"};
        Bytes block(modulus_size, 0xFF); // 00 01 FF … FF 00 T
        block[0] = 0x00;
        block[1] = 0x01;
        block[modulus_size - value.size() - 1] = 0x00;
        std::ranges::copy(value, block.end() - static_cast<std::ptrdiff_t>(value.size()));
        auto reply = raw_rsa(channel, key, block);
        if (!reply.status.ok())
            refused(reply.status);
        signature = std::move(reply.data);
    } else {
        const auto& references =
            algorithm == crypto::DigestAlgorithm::sha1 ? sha1_references : sha256_references;
        const std::array<std::uint8_t, 4> objects{
            0x91, 0x02, scheme == Scheme::pss_digest ? references.pss : references.pkcs1,
            static_cast<std::uint8_t>(key.reference | local_key)};
        must(channel, header(0x22, 0x81, 0xB6), objects, 0);
        signature = must(channel, header(0x2A, 0x9E, 0x9A), value, apdu::max_le);
    }
    if (signature.size() != modulus_size)
        throw Error{Errc::malformed_input, "the signature has another size than the key"};
    return signature;
}

apdu::Response Cps4::raw_rsa(apdu::Channel& channel, const PrivateKey& key, ByteView block)
{
    const std::array<std::uint8_t, 3> objects{0x83, 0x01,
                                              static_cast<std::uint8_t>(key.reference & 0x7F)};
    must(channel, header(0x22, 0x41, 0xB8), objects, 0);
    return apdu::transmit_chained(channel, header(0x2A, 0x80, 0x86), block, apdu::max_le);
}

/// What follows 00 02, at least eight octets that are not 00, and 00 (RFC 8017, 7.2.2). Looks
/// at every octet whatever they are, so that its time says nothing of them.
std::optional<Bytes> without_padding(ByteView block)
{
    unsigned bad = block[0] | (block[1] ^ 0x02U);
    std::size_t end = 0; // of the padding: where the 00 is
    unsigned found = 0;
    for (std::size_t i = 2; i != block.size(); ++i) {
        const unsigned is_zero = (static_cast<unsigned>(block[i]) - 1U) >> 31;
        const unsigned here = is_zero & ~found & 1U;
        end |= i & (std::size_t{0} - here);
        found |= is_zero;
    }
    bad |= found ^ 1U;
    bad |= static_cast<unsigned>(end < 2 + min_padding);
    if (bad != 0)
        return std::nullopt;
    return copy_of(block.subspan(end + 1));
}

std::optional<Bytes> Cps4::decipher(apdu::Channel& channel, const PrivateKey& key,
                                    ByteView cryptogram)
{
    enter_application(channel);
    auto reply = raw_rsa(channel, key, cryptogram);
    if (!reply.status.ok())
        refused(reply.status);
    if (reply.data.size() != modulus_size)
        throw Error{Errc::malformed_input,
                    "the deciphered block has another size than the key"};
    auto clear = without_padding(reply.data);
    wipe(reply.data);
    return clear;
}

} // namespace

std::unique_ptr<Card> make_cps4()
{
    return std::make_unique<Cps4>();
}

} // namespace cps::card
