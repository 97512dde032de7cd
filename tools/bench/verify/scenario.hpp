#pragma once

#include "cps/crypto/private_key.hpp"
#include "cps/verify/verifier.hpp"
#include "cps/x509/certificate.hpp"

#include <string>
#include <vector>

namespace cps::bench {

/// The time at which every token of the run is good, however long the run takes.
class StoppedClock final : public Clock {
public:
    explicit StoppedClock(EpochSeconds at) : at_{at} {}
    EpochSeconds now() const override { return at_; }
    std::chrono::steady_clock::time_point steady() const override
    {
        return std::chrono::steady_clock::now();
    }

private:
    EpochSeconds at_;
};

/// A token, what the portal expects of it, and what its nonce was handed out for.
struct Case {
    std::string token;
    verify::Expectation expected;
    token::Nonce nonce; ///< of a feature token: its session's
    std::size_t card;   ///< its place in Scenario::cards
};

/// One professional's card: a certificate of its own, one session, OCSP's word on it.
struct Card {
    x509::Certificate certificate;
    Bytes staple;
    crypto::PrivateKey session_key;
    std::string kid;
    Case session; ///< the token that opens it
};

/// Many cards of one authority (RSA 4096, as IGC-Santé's) and their tokens, all of them good.
struct Scenario {
    Scenario();

    EpochSeconds now;
    token::Origin origin;
    token::Feature feature;
    std::string trust_pem;
    std::vector<Card> cards;
    std::vector<Case> logins, requests, features;
};

} // namespace cps::bench
