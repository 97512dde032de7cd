#include "cps/x509/revocation_checker.hpp"

#include "support/revocations.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace std::chrono_literals;
using test::crl_of;
using test::ocsp_of;
using x509::RevocationDoubt;
using x509::RevocationVerdict;
using Require = x509::RevocationPolicy::Require;
using WhenDown = x509::RevocationPolicy::WhenDown;

namespace {

constexpr auto start = test::issue_time + 10min;
constexpr int revoked = 1, unknown = 2; // V_OCSP_CERTSTATUS_*

const x509::Certificate& card()
{
    static const auto made = test::issue(test::physician());
    return made;
}

/// A checker, what it asks and the time it lives in.
struct Portal {
    explicit Portal(x509::RevocationPolicy policy = {},
                    x509::RevocationSources sources = {.ocsp_urls = {"http://ocsp.example"}})
        : checker{policy, std::move(sources), crls, fetcher, clock}
    {
    }

    RevocationVerdict check(ByteView staple = {}) { return checker.check(card(), staple); }
    RevocationDoubt doubt(ByteView staple = {})
    {
        const auto verdict = check(staple);
        REQUIRE(verdict.is_unknown());
        return verdict.why;
    }
    void responder_says(int status)
    {
        fetcher.answer = [this, status](const FetchRequest&) -> Result<Bytes> {
            return ocsp_of({{{.about = &card(),
                              .status = status,
                              .this_update = clock.now(),
                              .next_update = clock.now() + 4h}}});
        };
    }
    void responder_is_down()
    {
        fetcher.answer = [](const FetchRequest&) -> Result<Bytes> {
            return Error{Errc::timeout, "too late"};
        };
    }
    Bytes staple(int status, EpochSeconds made)
    {
        return ocsp_of({{{.about = &card(),
                          .status = status,
                          .this_update = made,
                          .next_update = made + 4h}}});
    }

    test::MovedClock clock{start};
    test::ScriptedFetcher fetcher;
    x509::CrlStore crls{{test::issuing_authority()}, clock};
    x509::RevocationChecker checker;
};

} // namespace

TEST_SUITE("x509")
{
    TEST_CASE("a policy of none asks nobody")
    {
        Portal portal{{.require = Require::none}};

        CHECK(portal.check(octets("garbage")).is_good());
        CHECK(portal.fetcher.asked.empty());
    }

    TEST_CASE("OCSP: what the responder says counts, and is asked once an hour")
    {
        Portal portal{{.require = Require::ocsp}};
        portal.responder_says(0);

        CHECK(portal.check().good_until == start + 1h);
        portal.clock.advance(30min);
        CHECK(portal.check().good_until == start + 1h);
        CHECK(portal.fetcher.asked.size() == 1);
        portal.clock.advance(30min + 1s);
        CHECK(portal.check().is_good());
        CHECK(portal.fetcher.asked.size() == 2);

        const auto& request = portal.fetcher.asked.front();
        CHECK(request.url == "http://ocsp.example");
        CHECK(request.content_type == "application/ocsp-request");
        CHECK(request.max_size == 64 * 1024);
        CHECK(request.deadline == 3s);
        CHECK_FALSE(request.body.empty());
    }

    TEST_CASE("OCSP: an answer is kept until its nextUpdate or the maximum age, if earlier")
    {
        Portal portal{{.require = Require::ocsp, .max_ocsp_age = 20min}};
        portal.responder_says(0);

        CHECK(portal.check().good_until == start + 20min);
        portal.clock.advance(20min + 1s);
        portal.responder_is_down();
        CHECK(portal.doubt() == RevocationDoubt::unreachable);
    }

    TEST_CASE("OCSP: revoked is revoked, unknown is unknown")
    {
        Portal portal{{.require = Require::ocsp}};
        portal.responder_says(revoked);
        CHECK(portal.check().is_revoked());

        Portal other{{.require = Require::ocsp}};
        other.responder_says(unknown);
        CHECK(other.doubt() == RevocationDoubt::not_known);
    }

    TEST_CASE("a good verdict does not outlive the certificate")
    {
        Portal portal{{.require = Require::ocsp}};
        portal.clock.advance(card().not_after() - start - 10min);
        portal.responder_says(0);
        // The usual responder's certificate ends with the card's.
        CHECK(portal.check().good_until == card().not_after());
    }

    TEST_CASE("a stapled answer spares the responder")
    {
        Portal portal{{.require = Require::ocsp}};

        CHECK(portal.check(portal.staple(0, start - 1min)).is_good());
        CHECK(portal.check().is_good()); // the next one comes without
        CHECK(portal.fetcher.asked.empty());
    }

    TEST_CASE("a stapled answer that will not do sends us to the responder")
    {
        Portal portal{{.require = Require::ocsp}};
        portal.responder_says(0);
        const auto old = ocsp_of(
            {{{.about = &card(), .this_update = start - 13h, .next_update = start + 10h}}});

        CHECK(portal.check(old).is_good());
        CHECK(portal.fetcher.asked.size() == 1);

        Portal closed{{.require = Require::ocsp}, {}};
        CHECK(closed.doubt(old) == RevocationDoubt::stale);
        CHECK(closed.doubt(octets("garbage")) == RevocationDoubt::not_an_answer);
        CHECK(closed.doubt() == RevocationDoubt::no_source);
    }

    TEST_CASE("a revoked card cannot staple the good word it had before")
    {
        Portal portal{{.require = Require::ocsp}};
        portal.responder_says(revoked);
        REQUIRE(portal.check().is_revoked());
        const auto before = portal.staple(0, start - 1min);

        CHECK(portal.check(before).is_revoked());
        portal.clock.advance(2h); // the revoked word is no longer fresh, nor forgotten
        portal.responder_is_down();
        CHECK(portal.check(before).is_unknown());
        CHECK(portal.check(portal.staple(0, portal.clock.now())).is_good()); // off hold
    }

    TEST_CASE(
        "an old good answer that somebody on the way plays back does not undo a revocation")
    {
        Portal portal{{.require = Require::ocsp}};
        portal.responder_says(revoked);
        REQUIRE(portal.check().is_revoked());
        portal.clock.advance(2h);
        const auto before = portal.staple(0, start - 1min);
        portal.fetcher.answer = [&](const FetchRequest&) -> Result<Bytes> { return before; };

        CHECK(portal.doubt() == RevocationDoubt::rolled_back);
    }

    TEST_CASE("with the responder down: hard refuses, soft takes the last good word in its age")
    {
        for (const auto when_down : {WhenDown::hard, WhenDown::soft}) {
            Portal portal{{.require = Require::ocsp, .when_down = when_down}};
            portal.responder_says(0);
            REQUIRE(portal.check().is_good());
            portal.responder_is_down();
            portal.clock.advance(11h);

            const auto verdict = portal.check();

            CHECK(verdict.is_good() == (when_down == WhenDown::soft));
            if (when_down == WhenDown::soft)
                CHECK(verdict.good_until == portal.clock.now() + 1h);
            portal.clock.advance(1h + 1s);
            CHECK(portal.check().is_unknown());
        }
    }

    TEST_CASE("soft is not good without a last word, nor against the responder's own")
    {
        Portal portal{{.require = Require::ocsp, .when_down = WhenDown::soft}};
        portal.responder_is_down();
        CHECK(portal.doubt() == RevocationDoubt::unreachable);

        portal.clock.advance(1min);
        portal.responder_says(0);
        REQUIRE(portal.check().is_good());
        portal.clock.advance(2h);
        portal.responder_says(unknown);
        CHECK(portal.doubt() == RevocationDoubt::not_known);
    }

    TEST_CASE("a responder that failed is left alone for 30 s, and the next one is asked")
    {
        Portal portal{{.require = Require::ocsp},
                      {.ocsp_urls = {"http://a.example", "http://b.example"}}};
        portal.fetcher.answer = [](const FetchRequest& request) -> Result<Bytes> {
            if (request.url == "http://a.example")
                return Error{Errc::timeout, "too late"};
            return Bytes{0x30, 0x00};
        };

        CHECK(portal.doubt() == RevocationDoubt::not_an_answer);
        CHECK(portal.fetcher.asked.size() == 2);
        CHECK(portal.doubt() == RevocationDoubt::unreachable);
        CHECK(portal.fetcher.asked.size() == 2);
        portal.clock.advance(30s);
        portal.responder_says(0);
        CHECK(portal.check().is_good());
        CHECK(portal.fetcher.asked.size() == 3);

        portal.checker.clear();
        CHECK(portal.check().is_good());
        CHECK(portal.fetcher.asked.size() == 4);
    }

    TEST_CASE("CRL: only the list makes a card good")
    {
        Portal portal{{.require = Require::crl}};
        portal.responder_says(0);
        CHECK(portal.doubt(portal.staple(0, start)) == RevocationDoubt::no_source);
        CHECK(portal.fetcher.asked.empty());

        portal.crls.offer(crl_of({}));
        CHECK(portal.check().is_good());
        CHECK(portal.check(portal.staple(revoked, start)).is_revoked()); // bad news counts
    }

    TEST_CASE("either: the list first, then the staple, then the responder")
    {
        Portal portal;
        portal.responder_says(0);
        CHECK(portal.check(portal.staple(0, start)).is_good());
        CHECK(portal.fetcher.asked.empty());

        Portal asking;
        asking.responder_says(0);
        CHECK(asking.check().is_good());
        CHECK(asking.fetcher.asked.size() == 1);

        Portal listed;
        listed.crls.offer(crl_of({}));
        CHECK(listed.check().is_good());
        CHECK(listed.fetcher.asked.empty());

        Portal stale{{}, {}};
        stale.crls.offer(crl_of({.next_update = test::issue_time + 1min}));
        CHECK(stale.doubt() == RevocationDoubt::stale);
    }

    TEST_CASE("revoked on a list is revoked, whatever OCSP says and the policy prefers")
    {
        for (const auto require : {Require::ocsp, Require::crl, Require::either}) {
            Portal portal{{.require = require}};
            portal.responder_says(0);
            portal.crls.offer(crl_of({.revoked = {{test::serial_of(card())}}}));

            CHECK(portal.check(portal.staple(0, start)).is_revoked());
        }
    }

    TEST_CASE("a responder without nocheck counts while the list does not name it")
    {
        const auto responder = test::responder_of({.no_check = false});
        const auto staple = ocsp_of({.singles = {{&card()}}, .signer = &responder});
        Portal portal{{.require = Require::ocsp}, {}};
        CHECK(portal.doubt(staple) == RevocationDoubt::bad_signature);

        portal.crls.offer(crl_of({.number = 1}));
        CHECK(portal.check(staple).is_good());

        portal.crls.offer(crl_of({.number = 2, .revoked = {{"0A0B0C"}}}));
        portal.checker.clear();
        CHECK(portal.doubt(staple) == RevocationDoubt::bad_signature);
    }

    TEST_CASE("a card of nobody we know is not asked about")
    {
        const pki::Hierarchy other{{12, test::issue_time, 2048}};
        Portal portal;

        CHECK(portal.checker.check(test::issue(test::physician(), other)).why ==
              RevocationDoubt::wrong_issuer);
        CHECK(portal.fetcher.asked.empty());
    }

    TEST_CASE("the lists are fetched from the configuration's addresses")
    {
        Portal portal{{.require = Require::crl}, {.crl_urls = {"http://crl.example/a.crl"}}};
        portal.fetcher.answer = [](const FetchRequest&) -> Result<Bytes> { return crl_of({}); };

        CHECK(portal.checker.refresh_crls().size() == 1);
        CHECK(portal.check().is_good());
        REQUIRE(portal.fetcher.asked.size() == 1);
        CHECK(portal.fetcher.asked[0].url == "http://crl.example/a.crl");
    }

    TEST_CASE("doubts and reasons have names")
    {
        CHECK(x509::name_of(RevocationDoubt::stale) == "stale");
        CHECK(x509::name_of(RevocationDoubt::not_known) == "not_known");
        CHECK(x509::name_of(x509::RevocationReason::key_compromise) == "keyCompromise");
        CHECK(x509::name_of(x509::RevocationReason::unspecified) == "unspecified");
    }
}
