#pragma once

#include "bench.hpp"
#include "desk.hpp"

namespace cps::agent {

/// Finds the authentication certificate, asks the person, lets the card sign, checks the
/// signature, and leaves the card unverified. Blocking; never throws.
Outcome sign_token(const TokenRequest& request, const Bench& bench);

} // namespace cps::agent
