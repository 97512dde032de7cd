#pragma once

#include "forge/token_forge.hpp"
#include "pki/hierarchy.hpp"
#include "pki/leaf.hpp"

#include "cps/token/session_key_token.hpp"
#include "cps/token/values.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cps::vectors {

/// A portal, a card and a session key, the same for every vector. Tokens made by it are good
/// at `now`; a vector spoils one thing.
class Scene {
public:
    Scene();

    const EpochSeconds now;
    const token::Origin origin;
    const token::Feature feature;
    const pki::Hierarchy& hierarchy() const noexcept { return hierarchy_; }
    pki::LeafSpec leaf() const; ///< the physician's authentication certificate
    const pki::Authority& card() const noexcept { return card_; }
    const crypto::PrivateKey& card_key() const noexcept { return card_key_; }
    const crypto::PrivateKey& session_key(std::size_t which = 0) const
    {
        return session_keys_.at(which);
    }
    std::string trust_pem() const;
    /// A nonce by number, as `context.nonces` names it.
    token::Nonce nonce(unsigned number) const;

    token::CardClaims login() const;
    token::CardClaims request() const;
    /// @param previous the session token that is renewed.
    token::CardClaims session(unsigned nonce_number, const std::string& previous = {}) const;
    forge::TokenDraft
    card_draft(const token::CardClaims& claims,
               crypto::SignatureAlgorithm algorithm = crypto::SignatureAlgorithm::rs256) const;
    forge::TokenDraft feature_draft(const std::string& session_token, std::uint64_t seq = 1,
                                    const std::optional<token::Nonce>& nonce = {}) const;
    forge::TokenDraft revoke_draft(const std::string& session_token) const;

    /// What the portal expects of a token of `kind`, with the nonces 0 (login), 1 (the feature)
    /// and 2 … 4 (the feature again) handed out now.
    boost::json::object context(token::Kind kind) const;

private:
    pki::Hierarchy hierarchy_;
    pki::Authority card_;
    crypto::PrivateKey card_key_;
    std::vector<crypto::PrivateKey> session_keys_;
};

} // namespace cps::vectors
