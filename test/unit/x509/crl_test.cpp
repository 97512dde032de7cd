#include "cps/x509/crl_store.hpp"

#include "cps/base/encoding.hpp"
#include "support/revocations.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace std::chrono_literals;
using test::crl_of;
using test::CrlSpec;
using x509::CrlStore;
using x509::RevocationDoubt;
using x509::RevocationPolicy;
using x509::RevocationReason;
using Outcome = CrlStore::Offer::Outcome;

namespace {

constexpr auto noon = test::issue_time + 12h;

const x509::Certificate& card()
{
    static const auto made = test::issue(test::physician());
    return made;
}

std::string card_serial()
{
    return test::serial_of(card());
}

struct Store {
    test::MovedClock clock{noon};
    CrlStore crls{{test::issuing_authority()}, clock};
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

CrlSpec revoking(const std::string& serial, std::optional<int> reason = 1)
{
    return {.revoked = {{.serial = serial, .reason = reason}}};
}

} // namespace

TEST_SUITE("x509")
{
    TEST_CASE("a certificate that its issuer's CRL does not name is good, for an hour at most")
    {
        Store store;
        CHECK(store.doubt() == RevocationDoubt::no_source);
        REQUIRE(store.takes(crl_of(revoking("1234"))));

        const auto verdict = store.check();

        REQUIRE(verdict.is_good());
        CHECK(verdict.good_until == noon + 1h);
        CHECK(store.crls.size() == 1);
    }

    TEST_CASE("a certificate that the CRL names is revoked, since and why as it says")
    {
        Store store;
        auto spec = revoking("01");
        spec.revoked.push_back({.serial = card_serial(), .reason = 4, .at = noon - 2h});
        spec.revoked.push_back({.serial = "FFFFFFFFFFFFFFFFFFFF"});
        REQUIRE(store.takes(crl_of(spec)));

        const auto verdict = store.check();

        REQUIRE(verdict.is_revoked());
        CHECK(verdict.revoked_at == noon - 2h);
        CHECK(verdict.reason == RevocationReason::superseded);
        CHECK(x509::name_of(verdict.reason) == "superseded");
    }

    TEST_CASE("serials are told apart to the last octet, and found among many")
    {
        Store store;
        auto spec = revoking(card_serial().substr(0, card_serial().size() - 2) + "00");
        for (int i = 1; i != 2000; ++i)
            spec.revoked.push_back({.serial = to_hex(Bytes{static_cast<std::uint8_t>(i >> 8),
                                                           static_cast<std::uint8_t>(i), 0x01}),
                                    .reason = {}});
        REQUIRE(store.takes(crl_of(spec)));
        CHECK(store.check().is_good());

        spec.number = 2;
        spec.revoked[1000].serial = card_serial();
        REQUIRE(store.takes(crl_of(spec)));
        CHECK(store.check().is_revoked());
        CHECK(store.check().reason == RevocationReason::unspecified);
    }

    TEST_CASE("a CRL in PEM is taken as well")
    {
        Store store;
        const auto pem = "-----BEGIN X509 CRL-----\n" +
                         to_base64(crl_of(revoking(card_serial()))) +
                         "\n-----END X509 CRL-----\n";
        // One long line: OpenSSL reads it.
        CHECK(store.takes(copy_of(octets(pem))));
        CHECK(store.check().is_revoked());
        CHECK(store.refusal(copy_of(octets(card().pem()))) == RevocationDoubt::not_an_answer);
    }

    TEST_CASE("past nextUpdate nothing is good under a hard policy, and under a soft one the "
              "last list counts until its maximum age")
    {
        Store store;
        REQUIRE(store.takes(crl_of({})));
        store.clock.advance(2 * 24h + 12h - 1s); // a second before nextUpdate
        CHECK(store.check().good_until == test::issue_time + 3 * 24h);
        store.clock.advance(2s);
        CHECK(store.doubt() == RevocationDoubt::stale);

        store.policy.when_down = RevocationPolicy::WhenDown::soft;
        CHECK(store.check().is_good());
        store.clock.advance(4 * 24h - 2s); // issue_time + 7 days - 1 s
        CHECK(store.check().good_until == test::issue_time + 7 * 24h);
        store.clock.advance(2s);
        CHECK(store.doubt() == RevocationDoubt::stale);
    }

    TEST_CASE("the maximum age counts before nextUpdate too")
    {
        Store store;
        store.policy.max_crl_age = 12h - 1s;
        REQUIRE(store.takes(crl_of({})));

        CHECK(store.doubt() == RevocationDoubt::stale);
    }

    TEST_CASE("a list that has expired still says who is revoked")
    {
        Store store;
        auto spec = revoking(card_serial());
        spec.this_update = test::issue_time - 30 * 24h;
        spec.next_update = test::issue_time - 23 * 24h;
        REQUIRE(store.takes(crl_of(spec)));

        CHECK(store.check().is_revoked());
    }

    TEST_CASE("a CRL dated ahead is refused, but for what clocks differ")
    {
        Store store;
        CHECK(store.refusal(crl_of({.this_update = noon + 5min + 1s})) ==
              RevocationDoubt::future_dated);
        CHECK(store.takes(crl_of({.this_update = noon + 5min})));
        CHECK(store.check().is_good());
    }

    TEST_CASE("a CRL under another key or by another authority is refused")
    {
        Store store;
        CHECK(store.refusal(crl_of({.key_of = &test::impostor()})) ==
              RevocationDoubt::bad_signature);
        const auto& root = test::test_hierarchy().root();
        CHECK(store.refusal(crl_of({.issuer = &root})) == RevocationDoubt::wrong_issuer);
        CHECK(store.refusal(crl_of({.sha1 = true})) == RevocationDoubt::bad_signature);
        CHECK(store.crls.size() == 0);
    }

    TEST_CASE("an authority's CRL says nothing of another authority's cards")
    {
        test::MovedClock clock{noon};
        const auto root = test::test_hierarchy().root();
        CrlStore crls{
            {x509::Certificate::from_der(root.der()).value(), test::issuing_authority()},
            clock};
        REQUIRE(crls.offer(crl_of({.issuer = &root})).outcome == Outcome::taken);
        CHECK(crls.check(card(), {}).why == RevocationDoubt::no_source);

        REQUIRE(crls.offer(crl_of({})).outcome == Outcome::taken);
        CHECK(crls.check(card(), {}).is_good());
        const pki::Hierarchy other{{12, test::issue_time, 2048}};
        CHECK(crls.check(test::issue(test::physician(), other), {}).why ==
              RevocationDoubt::wrong_issuer);
    }

    TEST_CASE("a CRL changed anywhere, cut or lengthened is refused")
    {
        Store store;
        const auto good = crl_of(revoking(card_serial()));
        for (std::size_t i = 0; i < good.size(); ++i) {
            CAPTURE(i);
            auto bad = good;
            bad[i] ^= 0x41;
            CHECK(store.crls.offer(bad).outcome == Outcome::refused);
            CHECK(store.crls.offer(ByteView{good}.first(i)).outcome == Outcome::refused);
        }
        auto longer = good;
        longer.push_back(0);
        CHECK(store.refusal(longer) == RevocationDoubt::not_an_answer);
        CHECK(store.refusal({}) == RevocationDoubt::not_an_answer);
        CHECK(store.takes(good));
    }

    TEST_CASE("a CRL without nextUpdate, with dates the wrong way round, or of version 1 is "
              "refused")
    {
        Store store;
        CHECK(store.refusal(crl_of({.next_update = {}})) == RevocationDoubt::not_an_answer);
        CHECK(store.refusal(crl_of({.next_update = test::issue_time})) ==
              RevocationDoubt::not_an_answer);
        CHECK(store.refusal(crl_of({.number = {}, .version = 0})) ==
              RevocationDoubt::unsupported);
    }

    TEST_CASE("critical extensions that nobody knows are refused, others passed over")
    {
        Store store;
        const Bytes null{0x05, 0x00};
        const pki::Extension critical{"1.2.250.1.71.9.9.9", true, null};
        CHECK(store.refusal(crl_of({.more = {critical}})) == RevocationDoubt::unsupported);
        CrlSpec entry{.revoked = {{.serial = "01", .more = {critical}}}};
        CHECK(store.refusal(crl_of(entry)) == RevocationDoubt::unsupported);
        CrlSpec indirect{
            .revoked = {{.serial = "01", .more = {{"2.5.29.29", true, {0x30, 0x00}}}}}};
        CHECK(store.refusal(crl_of(indirect)) == RevocationDoubt::unsupported);

        const pki::Extension harmless{"1.2.250.1.71.9.9.9", false, null};
        CHECK(store.takes(
            crl_of({.revoked = {{.serial = "01", .more = {harmless}}}, .more = {harmless}})));
    }

    TEST_CASE("of issuingDistributionPoint, what leaves cards or reasons out is refused")
    {
        Store store;
        for (const unsigned flag : {2U, 3U, 4U, 5U}) { // CA certificates, reasons, indirect …
            CAPTURE(flag);
            CHECK(store.refusal(crl_of({.more = {test::issuing_point("", {flag})}})) ==
                  RevocationDoubt::unsupported);
        }
        CHECK(store.takes(crl_of({.more = {test::issuing_point("", {1})}})));
        CHECK(store.check().is_good());
    }

    TEST_CASE("a CRL of one distribution point speaks of the certificates that name it")
    {
        Store store;
        REQUIRE(store.takes(
            crl_of({.more = {test::issuing_point("http://crl.example/other.crl")}})));
        CHECK(store.doubt() == RevocationDoubt::no_source);

        auto spec = revoking(card_serial());
        spec.more = {
            test::issuing_point("http://igc-sante.esante.example/CRL/ACI-FO-PP-TEST.crl")};
        REQUIRE(store.takes(crl_of(spec)));
        CHECK(store.check().is_revoked());
    }

    TEST_CASE("a list older than the one here is refused, and so is another of its number")
    {
        Store store;
        REQUIRE(store.takes(
            crl_of({.number = 5, .this_update = noon - 1h, .revoked = {{card_serial()}}})));

        CHECK(store.refusal(crl_of({.number = 4, .this_update = noon})) ==
              RevocationDoubt::rolled_back);
        CHECK(store.refusal(crl_of({.number = 5, .this_update = noon})) ==
              RevocationDoubt::rolled_back);
        CHECK(store.refusal(crl_of({.number = 6, .this_update = noon - 2h})) ==
              RevocationDoubt::rolled_back);
        CHECK(store.refusal(crl_of({.number = {}, .this_update = noon})) ==
              RevocationDoubt::rolled_back);
        CHECK(store.check().is_revoked());
        const auto same =
            crl_of({.number = 5, .this_update = noon - 1h, .revoked = {{card_serial()}}});
        CHECK(store.crls.offer(same).outcome == Outcome::unchanged);
        CHECK(store.takes(crl_of({.number = 6, .this_update = noon})));
        CHECK(store.check().is_good());
    }

    TEST_CASE("a delta adds to the complete list and removes what was on hold")
    {
        Store store;
        REQUIRE(store.takes(crl_of({.number = 10, .revoked = {{"77"}}})));
        CHECK(store.check().is_good());

        REQUIRE(store.takes(crl_of({.number = 11,
                                    .base = 10,
                                    .this_update = noon - 1h,
                                    .revoked = {{card_serial(), 6}}})));
        CHECK(store.check().reason == RevocationReason::certificate_hold);

        REQUIRE(store.takes(crl_of({.number = 12, .base = 10, .this_update = noon})));
        CHECK(store.check().is_good());

        REQUIRE(store.takes(
            crl_of({.number = 13, .this_update = noon + 1s, .revoked = {{card_serial(), 6}}})));
        CHECK(store.check().is_revoked()); // the complete list, later than any delta
        REQUIRE(store.takes(crl_of({.number = 14,
                                    .base = 13,
                                    .this_update = noon + 2s,
                                    .revoked = {{card_serial(), 8}}})));
        CHECK(store.check().is_good());
        CHECK(store.refusal(crl_of({.number = 12, .base = 10, .this_update = noon + 3s})) ==
              RevocationDoubt::rolled_back);
    }

    TEST_CASE("a delta for another base removes nothing and renews nothing, yet adds")
    {
        Store store;
        REQUIRE(store.takes(crl_of({.number = 10, .revoked = {{card_serial(), 6}}})));
        REQUIRE(store.takes(crl_of(
            {.number = 15, .base = 12, .this_update = noon, .revoked = {{card_serial(), 8}}})));
        CHECK(store.check().is_revoked());

        Store adding;
        REQUIRE(adding.takes(crl_of({.number = 10})));
        REQUIRE(adding.takes(crl_of(
            {.number = 15, .base = 12, .this_update = noon, .next_update = noon + 30 * 24h})));
        adding.clock.advance(3 * 24h);
        CHECK(adding.doubt() == RevocationDoubt::stale);
        REQUIRE(adding.takes(crl_of({.number = 16,
                                     .base = 12,
                                     .this_update = noon + 1h,
                                     .revoked = {{card_serial()}}})));
        CHECK(adding.check().is_revoked());
    }

    TEST_CASE("a delta that fits makes the complete list as fresh as itself")
    {
        Store store;
        REQUIRE(store.takes(crl_of({.number = 10})));
        store.clock.advance(3 * 24h);
        CHECK(store.doubt() == RevocationDoubt::stale);

        REQUIRE(store.takes(crl_of({.number = 11,
                                    .base = 9,
                                    .this_update = noon + 3 * 24h - 1h,
                                    .next_update = noon + 4 * 24h})));
        CHECK(store.check().is_good());
    }

    TEST_CASE("a delta alone makes nobody good")
    {
        Store store;
        REQUIRE(store.takes(crl_of({.number = 11, .base = 9})));

        CHECK(store.doubt() == RevocationDoubt::no_source);
        CHECK(store.refusal(crl_of({.number = {}, .base = 9})) ==
              RevocationDoubt::not_an_answer);
    }

    TEST_CASE("serials above 20 octets and negative ones are not read")
    {
        Store store;
        CHECK(store.refusal(crl_of(revoking("01" + std::string(40, '0')))) ==
              RevocationDoubt::not_an_answer);
        CHECK(store.takes(crl_of(revoking("00")))); // odd, but a number
    }

    TEST_CASE("lists are fetched from where the configuration says, within bounds")
    {
        Store store;
        test::ScriptedFetcher fetcher;
        fetcher.answer = [](const FetchRequest& request) -> Result<Bytes> {
            if (request.url == "http://crl.example/full.crl")
                return crl_of({.number = 10});
            if (request.url == "http://crl.example/delta.crl")
                return crl_of({.number = 11, .base = 10, .revoked = {{card_serial()}}});
            if (request.url == "http://crl.example/huge.crl")
                return Error{Errc::too_large, "too large"};
            return Error{Errc::timeout, "too late"};
        };

        const auto offers = store.crls.refresh(
            fetcher, {"http://crl.example/full.crl", "http://crl.example/delta.crl",
                      "http://crl.example/huge.crl", "http://slow.example/"});

        REQUIRE(offers.size() == 4);
        CHECK(offers[0].outcome == Outcome::taken);
        CHECK(offers[1].outcome == Outcome::taken);
        CHECK(offers[2].why == RevocationDoubt::too_large);
        CHECK(offers[3].why == RevocationDoubt::unreachable);
        CHECK(offers[3].name == "http://slow.example/");
        CHECK(store.check().is_revoked());
        REQUIRE(fetcher.asked.size() == 4); // and not what the certificates say
        CHECK(fetcher.asked[0].max_size == x509::max_crl_size);
        CHECK(fetcher.asked[0].deadline == x509::crl_fetch_deadline);
        CHECK(fetcher.asked[0].body.empty());
    }
}
