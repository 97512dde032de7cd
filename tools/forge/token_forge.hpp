#pragma once

#include "cps/crypto/private_key.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/session_key_token.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace cps::forge {

/// Signs any two texts as header and payload of a compact JWS, well formed or not.
std::string
sign_texts(std::string_view header, std::string_view payload, const crypto::PrivateKey& key,
           crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::rs256);

/// A token before it is signed: good as made, free to be spoilt.
struct TokenDraft {
    boost::json::object header;
    boost::json::object claims;
    crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::rs256;

    /// What an agent would have signed.
    static TokenDraft
    good(const token::CardClaims& claims, ByteView certificate_der,
         crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::rs256);
    /// The same for what a session key signs: a signing input of SessionKeyTokens.
    static TokenDraft of_session_key(std::string_view signing_input);
    std::string sign(const crypto::PrivateKey& key) const;
};

} // namespace cps::forge
