// What is kept of a certificate, and that nothing from before a forget() is.
#include "portal.hpp"
#include "support/revocations.hpp"

#include "cps/x509/crl_store.hpp"
#include "cps/x509/revocation_checker.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace cps;
using namespace std::chrono_literals;
using test::Portal;

namespace {

/// Does something at each look but the first, which is the verification's own.
class BusyClock final : public Clock {
public:
    EpochSeconds now() const override
    {
        if (looks++ != 0 && meanwhile)
            meanwhile();
        return time;
    }
    std::chrono::steady_clock::time_point steady() const override { return {}; }
    EpochSeconds time;
    mutable int looks = 0;
    std::function<void()> meanwhile;
};

/// A portal whose logins bring their own proof that the card is not revoked. Without it one
/// is let in only if its certificate is remembered.
struct Stapled : Portal {
    Stapled() { busy.time = clock.time; }
    std::string login(bool with_staple)
    {
        auto expected = login_expected();
        if (with_staple)
            expected.staple = test::ocsp_of({{{.about = &test::card_certificate(),
                                               .this_update = clock.now(),
                                               .next_update = clock.now() + 4h}}});
        hand_out();
        const auto token = Portal::login().sign(test::card_key());
        busy.looks = 0;
        const auto verdict = verifier.verify(token, expected);
        return verdict ? "accepted" : std::string{verify::code_of(verdict.error())};
    }

    BusyClock busy;
    x509::TrustStore trust = x509::TrustStore::from_pem(test::test_trust()).value();
    x509::CrlStore crls{trust.anchors(), clock};
    NoFetcher fetcher;
    x509::RevocationChecker revocation{{}, {}, crls, fetcher, busy};
    verify::Verifier verifier{policy, trust, store, busy, &revocation};
};

} // namespace

TEST_SUITE("verify")
{
    TEST_CASE("a believed certificate is remembered until forget()")
    {
        Stapled portal;
        CHECK(portal.login(false) == "revocation_unknown");
        CHECK(portal.login(true) == "accepted");
        CHECK(portal.login(false) == "accepted");
        portal.revocation.clear();
        portal.verifier.forget();
        CHECK(portal.login(false) == "revocation_unknown");
    }

    TEST_CASE("what began before forget() is not remembered after it")
    {
        Stapled portal;
        int forgotten = 0;
        portal.busy.meanwhile = [&] {
            portal.verifier.forget();
            ++forgotten;
        };
        CHECK(portal.login(true) == "accepted");
        CHECK(forgotten > 0);
        portal.busy.meanwhile = nullptr;
        portal.revocation.clear();
        CHECK(portal.login(false) == "revocation_unknown");
    }
}
