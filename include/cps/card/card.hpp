#pragma once

#include "cps/apdu/channel.hpp"
#include "cps/base/secret.hpp"
#include "cps/card/contents.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/pcsc/card.hpp"

#include <memory>
#include <optional>
#include <string>

namespace cps::card {

enum class PinRole : std::uint8_t {
    user = 1,       ///< the PIN ("code porteur")
    unblocking = 2, ///< the PUK ("code de déblocage")
};

/// What the card said to a PIN. A wrong one is data; it is never tried again here.
struct PinOutcome {
    enum Kind { accepted, wrong, blocked } kind = accepted;
    int tries_left = 0; ///< after `wrong`
    friend bool operator==(const PinOutcome&, const PinOutcome&) = default;
};

struct PinStatus {
    bool verified = false;
    int tries_left = 0; ///< not known while verified: the card does not tell
};

/// What the holder's key is asked to sign.
enum class Scheme {
    pkcs1_t,      ///< EMSA-PKCS1-v1_5 around a T of the caller's (RFC 8017, 9.2)
    pkcs1_digest, ///< the same; the card makes T from a digest
    pss_digest,   ///< EMSA-PSS of a digest, MGF1 with the same hash, salt as long as it
};

/// One generation of card. Stateless but for what it selected: the channel of each call is a
/// transaction, and `begin` is called first in each. One thread at a time.
/// All of them throw what `apdu::transmit` throws, and card_refused with the status word.
class Card {
public:
    virtual ~Card() = default;

    /// A new transaction: others may have selected other files since.
    virtual void begin() noexcept = 0;

    /// EF.SN.ICC: the eight digits of the serial number.
    /// @throws Error card_unsupported when it is no card of this issuer.
    virtual std::string serial(apdu::Channel& channel) = 0;
    /// A whole transparent file. @throws Error card_refused 6A82 when there is none;
    /// malformed_input above 16 KiB.
    virtual Bytes read(apdu::Channel& channel, const Path& path) = 0;
    /// The directory file of our application that all others hang from.
    virtual Path application() const = 0;
    /// False for what has public objects only.
    virtual bool has_pin() const noexcept = 0;

    virtual PinStatus pin_status(apdu::Channel& channel, PinRole role) = 0;
    /// @param padded as `pad_pin` makes it.
    virtual PinOutcome verify(apdu::Channel& channel, PinRole role, ByteView padded) = 0;
    /// The old PIN is tried once.
    virtual PinOutcome change_pin(apdu::Channel& channel, ByteView old_padded,
                                  ByteView new_padded) = 0;
    /// After the PUK was verified in the same transaction.
    virtual void unblock(apdu::Channel& channel, ByteView new_padded) = 0;

    virtual bool can_sign(const PrivateKey& key, Scheme scheme,
                          crypto::DigestAlgorithm algorithm) const noexcept = 0;
    /// @param value T, or the digest. After the PIN. Exactly `key.bits` of signature.
    virtual Bytes sign(apdu::Channel& channel, const PrivateKey& key, Scheme scheme,
                       crypto::DigestAlgorithm algorithm, ByteView value) = 0;
    /// RSAES-PKCS1-v1_5. After the PIN. Empty when the padding is wrong.
    virtual std::optional<Bytes> decipher(apdu::Channel& channel, const PrivateKey& key,
                                          ByteView cryptogram) = 0;
    /// GET CHALLENGE.
    virtual Bytes random(apdu::Channel& channel, std::size_t size) = 0;

    /// Header of VERIFY and of CHANGE REFERENCE DATA (old and new PIN), for a PIN pad.
    virtual apdu::Header verify_header(PinRole role) const noexcept = 0;
    virtual std::optional<apdu::Header> change_header() const noexcept = 0;
};

/// Null for a family without a driver.
std::unique_ptr<Card> driver_for(pcsc::Family family);

/// What the card's answer to VERIFY or CHANGE REFERENCE DATA says.
/// @throws Error card_refused for a status word that says nothing of a PIN.
PinOutcome pin_outcome(apdu::StatusWord status);

/// Digits only, of a length that the card takes.
bool well_formed(ByteView pin, const PinFormat& format) noexcept;
/// @throws Error bad_argument unless `well_formed`.
Pin pad_pin(ByteView pin, const PinFormat& format);

} // namespace cps::card
