#pragma once

#include "cps/verify/verifier.hpp"
#include "forge/token_forge.hpp"
#include "pki/extensions.hpp"
#include "support/certificates.hpp"

#include <string>

namespace cps::test {

using forge::sign_texts;
using forge::TokenDraft;

class SetClock final : public Clock {
public:
    EpochSeconds now() const override { return time; }
    std::chrono::steady_clock::time_point steady() const override { return {}; }
    EpochSeconds time = issue_time + std::chrono::days{1};
};

/// A portal that handed out one nonce for each of two features, and the physician's card.
/// Tokens made by it are good at `clock.time`; a case spoils one thing.
class Portal {
public:
    Portal();

    /// Changes take effect on what is made or verified afterwards.
    SetClock clock;
    verify::MemoryStore store{clock};
    verify::Policy policy;

    token::Nonce login_nonce;
    token::Nonce request_nonce;
    crypto::PrivateKey session_key;

    token::CardClaims login_claims() const;
    token::CardClaims request_claims() const;
    TokenDraft login() const;
    TokenDraft request() const;
    /// A login with this certificate in its header, signed by the physician's key.
    TokenDraft login_with(const x509::Certificate& certificate) const;

    /// A session token for the portal's feature, with this nonce, which must be remembered.
    token::CardClaims session_claims(const token::Nonce& nonce) const;
    TokenDraft session(const token::Nonce& nonce) const;
    /// A feature token under `session_token`, for what request_expected() asks.
    TokenDraft feature(const std::string& session_token, std::uint64_t seq = 1) const;
    TokenDraft revoke(const std::string& session_token) const;
    /// A fresh nonce, handed out for `features` (default: the portal's one).
    token::Nonce fresh_nonce(std::vector<token::Feature> features = {});

    verify::Expectation session_expected() const;
    verify::Expectation feature_expected() const;
    verify::Expectation revoke_expected() const;
    verify::Expectation login_expected() const;
    verify::Expectation request_expected() const;

    verify::Verdict<verify::Accepted> verify(const std::string& token,
                                             const verify::Expectation& expected);
    /// The stable code, or "accepted".
    std::string code(const std::string& token, const verify::Expectation& expected);
    std::string login_code(const TokenDraft& draft);
    std::string request_code(const TokenDraft& draft);
    /// Hands both nonces out (again), for this session.
    void hand_out(const std::string& session = "session-1");
};

const x509::Certificate& card_certificate();
const crypto::PrivateKey& card_key();

} // namespace cps::test
