#include "signable.hpp"

namespace cps::agent {

Signable Signable::card_token(const token::CardClaims& claims,
                              const x509::Certificate& certificate)
{
    const auto input = token::signing_input(claims, algorithm, certificate.der());
    return {Form::card_token, copy_of(octets(input)), certificate};
}

Signable Signable::web_eid(const token::Origin& origin, const token::WebEidNonce& nonce,
                           const x509::Certificate& certificate)
{
    return {Form::web_eid, token::web_eid_message(origin, nonce), certificate};
}

std::string Signable::answer(ByteView signature) const
{
    switch (form_) {
    case Form::card_token: return token::compact(text_of(message_), signature);
    case Form::web_eid:
        return token::web_eid_token(certificate_.der(), signature, "cps-agent/" CPS_VERSION);
    }
    return {};
}

} // namespace cps::agent
