#pragma once

#include "cps/x509/crl_store.hpp"
#include "support/revocations.hpp"

#include <doctest/doctest.h>

namespace cps::test {

using namespace std::chrono_literals;
using x509::CrlStore;
using x509::RevocationDoubt;
using x509::RevocationPolicy;
using x509::RevocationReason;
using Outcome = CrlStore::Offer::Outcome;

inline constexpr auto noon = issue_time + 12h;

inline const x509::Certificate& card()
{
    static const auto made = issue(physician());
    return made;
}

inline std::string card_serial()
{
    return serial_of(card());
}

struct Store {
    MovedClock clock{noon};
    CrlStore crls{{issuing_authority()}, clock};
    RevocationPolicy policy;

    RevocationDoubt refusal(const Bytes& octets)
    {
        const auto offer = crls.offer(octets);
        REQUIRE(offer.outcome == Outcome::refused);
        return offer.why;
    }
    bool takes(const Bytes& octets) { return crls.offer(octets).outcome == Outcome::taken; }
    x509::RevocationVerdict check() { return crls.check(card(), policy); }
    RevocationDoubt doubt()
    {
        const auto verdict = check();
        REQUIRE(verdict.is_unknown());
        return verdict.why;
    }
};

inline CrlSpec revoking(const std::string& serial, std::optional<int> reason = 1)
{
    return {.revoked = {{.serial = serial, .reason = reason}}};
}

} // namespace cps::test
