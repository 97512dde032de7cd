#pragma once

#include "desk.hpp"

namespace cps::agent {

/// What signing one token needs.
struct Bench {
    const Config& config;
    pkcs11::Module& module;
    Presence& presence;
    PinPrompt& prompt;
    Sessions& sessions;
    Cancel& cancel;
    Consents& consents;
};

/// Finds the authentication certificate, asks the person, lets the card sign, checks the
/// signature, and leaves the card unverified. Blocking; never throws.
Outcome sign_token(const TokenRequest& request, const Bench& bench);

} // namespace cps::agent
