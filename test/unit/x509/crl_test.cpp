#include "crl_fixture.hpp"

#include "cps/base/encoding.hpp"

using namespace cps;
using namespace cps::test;

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

    TEST_CASE("an authority whose KeyUsage has no cRLSign makes no CRLs")
    {
        const auto& issuing = test::test_hierarchy().issuing();
        const auto root = test::test_hierarchy().root();
        const pki::Draft draft{{0x05},
                               {{{"CN", "TEST AC SANS LISTE"}}},
                               test::issue_time,
                               test::issue_time + 24h,
                               {pki::basic_constraints_ca(0),
                                pki::key_usage({pki::KeyUsage::key_certificate_sign})}};
        const pki::Authority authority{issuing.key,
                                       pki::sign_certificate(draft, issuing.key, &root)};
        test::MovedClock clock{noon};
        CrlStore crls{{x509::Certificate::from_der(authority.der()).value()}, clock};

        CHECK(crls.offer(crl_of({.issuer = &authority})).why == RevocationDoubt::bad_signature);
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
