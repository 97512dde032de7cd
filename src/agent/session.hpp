#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"
#include "cps/base/secret.hpp"
#include "cps/crypto/session_key.hpp"
#include "cps/pcsc/snapshot.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/session_key_token.hpp"
#include "cps/token/values.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cps::agent {

/// One card in one reader, from its insertion to its removal.
struct CardInReader {
    std::string reader;     ///< CK_SLOT_INFO.slotDescription
    unsigned insertion = 0; ///< pcsc::Reader::insertion
    std::string serial;     ///< CK_TOKEN_INFO.serialNumber
    Bytes certificate;      ///< DER
    Bytes key_id{};         ///< CKA_ID

    bool is_in(const pcsc::Snapshot& now) const;
    friend bool operator==(const CardInReader&, const CardInReader&) = default;
};

/// A session token that the card has signed, and what the session needs to know of it.
struct SessionGrant {
    CardInReader card;
    EpochSeconds issued_at;                            ///< by the portal's clock
    EpochSeconds usable_until;                         ///< by the portal's clock
    std::chrono::steady_clock::time_point signed_at;   ///< when it was `issued_at`
    std::chrono::steady_clock::time_point pin_entered; ///< by a human
    std::optional<Pin> pin{};                          ///< to be kept for renewals
};

/// What a page asks a feature token for.
struct FeatureCall {
    token::Feature feature;
    token::RequestBinding request;
    std::optional<token::Nonce> nonce{};
};

struct FeatureToken {
    std::string token;
    unsigned left = 0; ///< feature tokens that the session may still make
};

/// What a session needs to know to be renewed.
struct RenewalBase {
    CardInReader card;
    std::chrono::steady_clock::time_point pin_entered;
};

/// One session: its key, what was agreed to, and what is left of it. It makes feature tokens
/// by itself, without the card. One thread at a time (Sessions sees to it).
class Session {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// A draft with a key of its own; it can do nothing before `take`.
    /// @throws Error internal when no key can be made.
    Session(token::Origin origin, std::string revoke_uri, std::vector<token::Feature> features,
            unsigned limit, Time now);

    /// What its next session token says of it. Not once `left` is 0.
    token::SessionClaims claims() const;
    RenewalBase renewal_base() const { return {*card_, pin_entered_}; }

    /// The card signed: from now on feature tokens belong to `session_token`. Not once `left`
    /// is 0.
    /// @param features those that it names, of the ones agreed to.
    void take(std::string_view session_token, const SessionGrant& grant,
              std::vector<token::Feature> features);

    /// Errors: limit_reached; challenge_stale (the session token is over: renew);
    /// feature_unknown (not agreed to).
    Result<FeatureToken> feature_token(const FeatureCall& call, Time now);

    /// The revoke tokens that a portal may still need: those of the last two session tokens,
    /// as long as they live, for a page may not have handed the last one over.
    std::vector<std::string> revocations(Time now) const;

    const token::Origin& origin() const noexcept { return origin_; }
    const std::string& revoke_uri() const noexcept { return revoke_uri_; }
    const std::vector<token::Feature>& features() const noexcept { return agreed_; }
    const std::optional<CardInReader>& card() const noexcept
    {
        return card_;
    } ///< none: a draft
    Time opened() const noexcept { return opened_; }
    Time last_used() const noexcept { return last_used_; }
    unsigned limit() const noexcept { return limit_; }
    unsigned left() const noexcept { return limit_ - used_; }
    /// Of the current session token.
    std::chrono::seconds expires_in(Time now) const;

    bool renewing = false; ///< a renewal is under way

private:
    struct Revocation {
        std::string token;
        Time useful_until;
    };
    EpochSeconds portal_time(Time now) const;

    token::Origin origin_;
    std::string revoke_uri_;
    std::vector<token::Feature> agreed_;
    unsigned limit_;
    Time opened_;
    Time last_used_;

    std::optional<crypto::SessionKey> key_; ///< gone with the last feature token
    std::optional<CardInReader> card_;
    std::optional<token::SessionKeyTokens> tokens_;
    std::vector<token::Feature> usable_; ///< of the current session token
    EpochSeconds issued_at_{};
    EpochSeconds usable_until_{};
    Time signed_at_;
    Time pin_entered_;
    unsigned used_ = 0;
    std::vector<Revocation> revocations_;
};

/// 128 random bits, base64url: a session's name, and a token's `jti`.
std::string random_name();

} // namespace cps::agent
