#pragma once

#include "cps/base/bytes.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/web_eid.hpp"
#include "cps/x509/certificate.hpp"

#include <string>

namespace cps::agent {

/// What a card may be asked to sign, and the answer that its signature makes. There are these
/// two and no other: each is built here, from parsed values; nothing takes octets.
class Signable {
public:
    /// A compact JWS of the profile, signed with RS256.
    static Signable card_token(const token::CardClaims& claims,
                               const x509::Certificate& certificate);
    /// A Web eID authentication token 1.0, signed with RS256.
    static Signable web_eid(const token::Origin& origin, const token::WebEidNonce& nonce,
                            const x509::Certificate& certificate);

    static constexpr auto algorithm = crypto::SignatureAlgorithm::rs256;
    ByteView message() const noexcept { return message_; }
    /// The compact JWS, or the Web eID token as a JSON text.
    std::string answer(ByteView signature) const;

private:
    enum class Form { card_token, web_eid };
    Signable(Form form, Bytes message, const x509::Certificate& certificate)
        : form_{form}, message_{std::move(message)}, certificate_{certificate}
    {
    }
    Form form_;
    Bytes message_;
    x509::Certificate certificate_;
};

} // namespace cps::agent
