#include "cpx.hpp"
#include "secret_command.hpp"

#include "cps/apdu/transmit.hpp"
#include "cps/base/error.hpp"

#include <array>

namespace cps::card {
namespace {

// Algorithm references of the IAS ECC profile, as every TokenInfo lists them.
constexpr std::uint8_t sign_with_sha1 = 0x12;
constexpr std::uint8_t sign_with_sha256 = 0x42;
constexpr std::uint8_t authenticate = 0x02;
constexpr std::uint8_t decipher_rsa = 0x1A;

constexpr std::size_t max_t = 102;           // octets: 40 % of the modulus
constexpr std::uint8_t rsa_indicator = 0x81; // before a cryptogram (IAS ECC)
constexpr std::size_t signature_size = 256;  // octets: RSA 2048 alone

/// IAS ECC 1.0.1: CPS3 with contacts, and its contactless side.
class Cps3 final : public Cpx {
public:
    Cps3(Path application, bool pin)
        : Cpx{0x00}, application_{std::move(application)}, pin_{pin}
    {
    }

    Path application() const override { return application_; }
    bool has_pin() const noexcept override { return pin_; }
    PinOutcome change_pin(apdu::Channel& channel, ByteView old_padded,
                          ByteView new_padded) override;
    void unblock(apdu::Channel& channel, ByteView new_padded) override;
    bool can_sign(const PrivateKey& key, Scheme scheme,
                  crypto::DigestAlgorithm algorithm) const noexcept override;
    Bytes sign(apdu::Channel& channel, const PrivateKey& key, Scheme scheme,
               crypto::DigestAlgorithm algorithm, ByteView value) override;
    std::optional<Bytes> decipher(apdu::Channel& channel, const PrivateKey& key,
                                  ByteView cryptogram) override;
    std::optional<apdu::Header> change_header() const noexcept override
    {
        return header(0x24, 0x00, static_cast<std::uint8_t>(PinRole::user));
    }

private:
    std::optional<std::size_t> select(apdu::Channel& channel, const Path& path) override;
    void select_application(apdu::Channel& channel) override { select(channel, application_); }
    /// MANAGE SECURITY ENVIRONMENT SET: algorithm and key for the next operation.
    void set_environment(apdu::Channel& channel, std::uint8_t crt, std::uint8_t algorithm,
                         std::uint8_t key);

    Path application_;
    bool pin_;
};

std::optional<std::size_t> Cps3::select(apdu::Channel& channel, const Path& path)
{
    // By path from the master file, which must be named; P2 0C: no control parameters, which
    // saves a GET RESPONSE and tells nothing that we need.
    Bytes named{0x3F, 0x00};
    named.insert(named.end(), path.begin(), path.end());
    must(channel, header(0xA4, 0x09, 0x0C), named, 0);
    return std::nullopt;
}

void Cps3::set_environment(apdu::Channel& channel, std::uint8_t crt, std::uint8_t algorithm,
                           std::uint8_t key)
{
    enter_application(channel);
    const std::array<std::uint8_t, 6> objects{0x80, 0x01, algorithm, 0x84, 0x01, key};
    must(channel, header(0x22, 0x41, crt), objects, 0);
}

PinOutcome Cps3::change_pin(apdu::Channel& channel, ByteView old_padded, ByteView new_padded)
{
    // Verified first, as every known client does: one try, whichever way it ends.
    const auto outcome = verify(channel, PinRole::user, old_padded);
    if (outcome.kind != PinOutcome::accepted)
        return outcome;
    LockedPage page;
    const auto both = page.bytes().first(old_padded.size() + new_padded.size());
    std::ranges::copy(old_padded, both.begin());
    std::ranges::copy(new_padded,
                      both.begin() + static_cast<std::ptrdiff_t>(old_padded.size()));
    SecretCommand command{*change_header()};
    return pin_outcome(send(channel, command->with_data(both)).status);
}

void Cps3::unblock(apdu::Channel& channel, ByteView new_padded)
{
    SecretCommand command{header(0x2C, 0x02, static_cast<std::uint8_t>(PinRole::user))};
    must(channel, command->with_data(new_padded));
}

bool Cps3::can_sign(const PrivateKey& key, Scheme scheme,
                    crypto::DigestAlgorithm algorithm) const noexcept
{
    using enum crypto::DigestAlgorithm;
    switch (scheme) {
    case Scheme::pkcs1_t: return key.role == KeyRole::authentication;
    case Scheme::pkcs1_digest:
        return key.role == KeyRole::signature && (algorithm == sha1 || algorithm == sha256);
    case Scheme::pss_digest: break;
    }
    return false;
}

Bytes Cps3::sign(apdu::Channel& channel, const PrivateKey& key, Scheme scheme,
                 crypto::DigestAlgorithm algorithm, ByteView value)
{
    if (!can_sign(key, scheme, algorithm))
        throw Error{Errc::not_supported, "the key cannot sign in this way"};
    Bytes signature;
    if (scheme == Scheme::pkcs1_t) {
        if (value.empty() || value.size() > max_t)
            throw Error{Errc::too_large, "the card pads at most 102 octets"};
        set_environment(channel, 0xA4, authenticate, key.reference);
        // INTERNAL AUTHENTICATE
        signature = must(channel, header(0x88, 0x00, 0x00), value, apdu::max_le);
    } else {
        set_environment(channel, 0xB6,
                        algorithm == crypto::DigestAlgorithm::sha1 ? sign_with_sha1
                                                                   : sign_with_sha256,
                        key.reference);
        // PSO COMPUTE DIGITAL SIGNATURE
        signature = must(channel, header(0x2A, 0x9E, 0x9A), value, apdu::max_le);
    }
    if (signature.size() != signature_size)
        throw Error{Errc::malformed_input, "the signature has another size than the key"};
    return signature;
}

std::optional<Bytes> Cps3::decipher(apdu::Channel& channel, const PrivateKey& key,
                                    ByteView cryptogram)
{
    set_environment(channel, 0xB8, decipher_rsa, key.reference);
    Bytes prefixed{rsa_indicator};
    prefixed.insert(prefixed.end(), cryptogram.begin(), cryptogram.end());
    auto reply =
        apdu::transmit_chained(channel, header(0x2A, 0x80, 0x86), prefixed, apdu::max_le);
    constexpr apdu::StatusWord wrong_data{0x6A80};
    if (reply.status == wrong_data)
        return std::nullopt;
    if (!reply.status.ok())
        refused(reply.status);
    return std::move(reply.data);
}

} // namespace

std::unique_ptr<Card> make_cps3(Path application, bool pin)
{
    return std::make_unique<Cps3>(std::move(application), pin);
}

} // namespace cps::card
