#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/clock.hpp"
#include "cps/crypto/public_key.hpp"
#include "cps/token/values.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cps::token {

/// The kinds of token of the profile; their `typ` is `cps-<name>+jwt`.
enum class Kind { login, session, request, feature, revoke };
std::string_view typ_of(Kind kind) noexcept;
std::string_view name_of(Kind kind) noexcept;
std::optional<Kind> kind_named(std::string_view name) noexcept;

/// Longest life of a login or request token.
inline constexpr std::chrono::seconds max_login_lifetime{60};

/// Longest life of a session token.
inline constexpr std::chrono::seconds max_session_lifetime{600};

/// What a session token says beyond the other two: the key that signs for the session.
struct SessionClaims {
    crypto::PublicKey key;               ///< `cnf.jwk`; on P-256
    unsigned limit = 0;                  ///< `lim`: the most feature tokens, at least 1
    std::optional<std::string> previous; ///< `prev`, for a renewal: `cth` of the token before
};

/// What a login, session or request token says. The agent fills it in; nothing in it comes from
/// a page but the nonce, the feature and the request that the page wants to make.
struct CardClaims {
    std::string subject; ///< `iss` and `sub`: the certificate's CN
    Origin audience;
    Nonce nonce;
    std::string jti; ///< 128 random bits, base64url
    EpochSeconds issued_at;
    EpochSeconds expires_at;
    EpochSeconds auth_time; ///< last PIN that a human entered
    std::vector<Feature> features;
    std::optional<RequestBinding> request{}; ///< present: a request token
    std::optional<SessionClaims> session{};  ///< present: a session token; neither: a login
};

/// The kind that those claims make. @throws Error bad_argument for claims of two kinds.
Kind kind_of(const CardClaims& claims);

/// `cth`: base64url SHA-256 of a session token's text.
std::string token_hash(std::string_view session_token);

/// The JWS signing input `BASE64URL(header) . BASE64URL(payload)` (RFC 7515, 5.1), which always
/// begins `eyJ`. @param certificate_der the leaf that goes into `x5c`.
std::string signing_input(const CardClaims& claims, crypto::SignatureAlgorithm algorithm,
                          ByteView certificate_der);

/// The compact serialisation: `input . BASE64URL(signature)`.
std::string compact(std::string_view input, ByteView signature);

} // namespace cps::token
