#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/clock.hpp"
#include "cps/crypto/public_key.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/values.hpp"
#include "cps/verify/store.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace cps::verify {

/// What a login or request token claims, as it spells it.
struct Claimed {
    std::string subject;
    std::string audience;
    token::Nonce nonce;
    EpochSeconds issued_at;
    EpochSeconds expires_at;
    std::vector<token::Feature> features;
    token::RequestBinding request; ///< members empty in a login
};

/// A login or request token taken apart: well formed and exactly of its kind, and nothing in
/// it believed yet.
struct CardJws {
    std::string_view signing_input; ///< within the token that was read
    Bytes signature;
    crypto::SignatureAlgorithm algorithm;
    Bytes certificate_der;
    boost::json::object claims; ///< the whole set
    Claimed claimed;            ///< read from it
};

/// The part of the profile's first step that needs neither clock nor configuration.
Verdict<CardJws> read_card_jws(std::string_view token, token::Kind kind);

} // namespace cps::verify
