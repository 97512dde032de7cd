#include "cps/x509/ocsp.hpp"

#include "cps/base/encoding.hpp"
#include "pki/revocation.hpp"
#include "support/revocations.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace std::chrono_literals;
using test::ocsp_of;
using test::OcspSpec;
using x509::OcspRequest;
using x509::RevocationDoubt;
using Status = x509::RevocationVerdict::Status;

namespace {

constexpr auto noon = test::issue_time + 30min;
constexpr int revoked = 1, unknown = 2; // V_OCSP_CERTSTATUS_*

const x509::Certificate& card()
{
    static const auto made = test::issue(test::physician());
    return made;
}

const x509::Certificate& other_card()
{
    static const auto made = [] {
        auto spec = test::physician();
        spec.name = "another";
        return test::issue(spec);
    }();
    return made;
}

auto read(ByteView response, ByteView nonce = {}, bool required = false,
          EpochSeconds now = noon)
{
    static const auto issuer = test::issuing_authority();
    return x509::read_ocsp(response, {card(), issuer, nonce, required}, now);
}

RevocationDoubt doubt(const OcspSpec& spec, EpochSeconds now = noon)
{
    const auto answer = read(ocsp_of(spec), {}, false, now);
    REQUIRE(answer.has_error());
    return answer.error();
}

Status status(const OcspSpec& spec)
{
    return read(ocsp_of(spec)).value().status;
}

} // namespace

TEST_SUITE("x509")
{
    TEST_CASE("a responder's good, revoked and unknown are read")
    {
        CHECK(status({{{&card()}}}) == Status::good);
        CHECK(status({{{&card(), unknown}}}) == Status::unknown);
        const auto answer = read(ocsp_of({{{&card(), revoked}}})).value();
        CHECK(answer.status == Status::revoked);
        CHECK(answer.revoked_at == test::issue_time);
        CHECK(answer.reason == x509::RevocationReason::key_compromise);
        CHECK(answer.this_update == test::issue_time);
        CHECK(answer.next_update == test::issue_time + 1h);
        CHECK_FALSE(answer.responder_to_check);
    }

    TEST_CASE("the certificate is named by SHA-1 or SHA-256 of its issuer")
    {
        CHECK(status({{{.about = &card(), .sha256 = true}}}) == Status::good);
        CHECK(status({{{.about = &card(), .status = revoked, .sha256 = true}}}) ==
              Status::revoked);
    }

    TEST_CASE("the responder is named by its name or its key")
    {
        CHECK(status({.singles = {{&card()}}, .named_by_key = true}) == Status::good);
        const auto& issuing = test::test_hierarchy().issuing();
        CHECK(status({.singles = {{&card()}}, .signer = &issuing, .named_by_key = true}) ==
              Status::good);
    }

    TEST_CASE("the issuer may answer itself, its certificate sent or not")
    {
        const auto& issuing = test::test_hierarchy().issuing();
        CHECK(status({.singles = {{&card()}}, .signer = &issuing}) == Status::good);
        CHECK(status(
                  {.singles = {{&card()}}, .signer = &issuing, .without_certificates = true}) ==
              Status::good);
    }

    TEST_CASE("an answer about another certificate says nothing of this one")
    {
        CHECK(doubt({{{&other_card()}}}) == RevocationDoubt::other_certificate);
        CHECK(doubt({}) == RevocationDoubt::other_certificate);
        CHECK(status({{{&other_card(), revoked}, {&card()}}}) == Status::good);
        CHECK(status({{{&other_card()}, {&card(), revoked}}}) == Status::revoked);
    }

    TEST_CASE("of two answers about one certificate the worse counts")
    {
        CHECK(status({{{&card()}, {&card(), revoked}}}) == Status::revoked);
        CHECK(status({{{&card(), revoked}, {&card()}}}) == Status::revoked);
        CHECK(status({{{&card()}, {&card(), unknown}}}) == Status::unknown);
        CHECK(status({{{&card(), unknown},
                       {.about = &card(), .status = revoked, .sha256 = true}}}) ==
              Status::revoked);
    }

    TEST_CASE("who may not answer for the issuer is not believed")
    {
        const auto signed_by = [](const test::ResponderSpec& spec) {
            const auto responder = test::responder_of(spec);
            return read(ocsp_of({.singles = {{&card()}}, .signer = &responder}));
        };
        CHECK(signed_by({}).has_value());
        const auto root = test::test_hierarchy().root();
        for (const auto& bad :
             {test::ResponderSpec{.ocsp_signing = false}, test::ResponderSpec{.bits = 1024},
              test::ResponderSpec{.sha1 = true}, test::ResponderSpec{.not_before = noon + 1s},
              test::ResponderSpec{.life = 29min},
              test::ResponderSpec{.issuer = &test::impostor()},
              test::ResponderSpec{.issuer = &root}}) {
            const auto answer = signed_by(bad);
            REQUIRE(answer.has_error());
            CHECK(answer.error() == RevocationDoubt::bad_signature);
        }
    }

    TEST_CASE("a responder without nocheck is handed on to be checked")
    {
        const auto responder = test::responder_of({.no_check = false});

        const auto answer = read(ocsp_of({.singles = {{&card()}}, .signer = &responder}));

        CHECK(answer.value().responder_to_check.value().der() == responder.der());
    }

    TEST_CASE("a responder that does not send its certificate cannot be verified")
    {
        CHECK(doubt({.singles = {{&card()}}, .without_certificates = true}) ==
              RevocationDoubt::bad_signature);
    }

    TEST_CASE("a card's own certificate signs no answers")
    {
        const auto holder = test::hierarchy_card();
        CHECK(doubt({.singles = {{&card()}}, .signer = &holder}) ==
              RevocationDoubt::bad_signature);
    }

    TEST_CASE("an authority of the same name and another key is not the issuer")
    {
        CHECK(doubt({.singles = {{&card()}}, .signer = &test::impostor()}) ==
              RevocationDoubt::bad_signature);
    }

    TEST_CASE("an answer signed over SHA-1 is not believed")
    {
        CHECK(doubt({.singles = {{&card()}}, .sha1 = true}) == RevocationDoubt::bad_signature);
    }

    TEST_CASE("critical extensions that nobody knows are refused")
    {
        CHECK(doubt({.singles = {{&card()}}, .critical_extension = true}) ==
              RevocationDoubt::unsupported);
        CHECK(doubt({{{.about = &card(), .critical_extension = true}}}) ==
              RevocationDoubt::unsupported);
        // Of another's answer it is not our business.
        CHECK(status({{{.about = &other_card(), .critical_extension = true}, {&card()}}}) ==
              Status::good);
    }

    TEST_CASE("an answer changed anywhere, cut or lengthened is not believed")
    {
        const auto good = ocsp_of({{{&card()}}});
        for (std::size_t i = 0; i < good.size(); ++i) {
            CAPTURE(i);
            auto bad = good;
            bad[i] ^= 0x41;
            CHECK(read(bad).has_error());
            CHECK(read(ByteView{good}.first(i)).has_error());
        }
        auto longer = good;
        longer.push_back(0);
        CHECK(read(longer).error() == RevocationDoubt::not_an_answer);
    }

    TEST_CASE("garbage, errors of the responder's and huge answers are told apart")
    {
        CHECK(read({}).error() == RevocationDoubt::not_an_answer);
        CHECK(read(octets("<html>")).error() == RevocationDoubt::not_an_answer);
        CHECK(read(from_hex("30030A0106").value()).error() == // unauthorized
              RevocationDoubt::not_an_answer);
        CHECK(read(Bytes(x509::max_ocsp_response + 1)).error() == RevocationDoubt::too_large);
    }

    TEST_CASE("an answer dated ahead is refused, but for what clocks differ")
    {
        CHECK(
            doubt({{{.about = &card(), .this_update = noon + 5min + 1s, .next_update = {}}}}) ==
            RevocationDoubt::future_dated);
        CHECK(status({{{.about = &card(), .this_update = noon + 5min, .next_update = {}}}}) ==
              Status::good);
        CHECK(doubt({{{.about = &card(), .next_update = test::issue_time - 1s}}}) ==
              RevocationDoubt::not_an_answer);
    }

    TEST_CASE("until when an answer is good: nextUpdate or the age, whichever comes first")
    {
        const auto with_next = read(ocsp_of({{{&card()}}})).value();
        CHECK(with_next.good_until(12h) == test::issue_time + 1h);
        CHECK(with_next.good_until(20min) == test::issue_time + 20min);
        const auto without = read(ocsp_of({{{.about = &card(), .next_update = {}}}})).value();
        CHECK_FALSE(without.next_update);
        CHECK(without.good_until(12h) == test::issue_time + 12h);
    }

    TEST_CASE("a nonce must be ours where there is one, and be there where it is required")
    {
        const Bytes ours(32, 0x5A);
        const Bytes others(32, 0x5B);
        const auto with = ocsp_of({.singles = {{&card()}}, .nonce = ours});
        const auto with_others = ocsp_of({.singles = {{&card()}}, .nonce = others});
        const auto without = ocsp_of({{{&card()}}});

        CHECK(read(with, ours).has_value());
        CHECK(read(with, ours, true).has_value());
        CHECK(read(with_others, ours).error() == RevocationDoubt::nonce_mismatch);
        CHECK(read(with_others, ours, true).error() == RevocationDoubt::nonce_mismatch);
        CHECK(read(without, ours).has_value());
        CHECK(read(without, ours, true).error() == RevocationDoubt::nonce_mismatch);
        CHECK(read(with).has_value()); // stapled: whoever asked compared it
        CHECK(read(with, {}, true).error() == RevocationDoubt::nonce_mismatch);
    }

    TEST_CASE("a question is one that the test PKI's responder answers, nonce and all")
    {
        const auto& hierarchy = test::test_hierarchy();
        static const auto issuer = test::issuing_authority();
        const pki::Index index{{test::serial_of(card()), card().not_after(), {}, "card"}};
        for (const auto hash :
             {OcspRequest::IssuerHash::sha1, OcspRequest::IssuerHash::sha256}) {
            const auto request = OcspRequest::about(card(), issuer, hash);
            CHECK(request.nonce().size() == x509::ocsp_nonce_size);

            const auto answer = pki::ocsp_answer(request.der(), hierarchy.issuing(),
                                                 hierarchy.ocsp_responder(), index, noon);

            CHECK(read(answer, request.nonce(), true).value().status == Status::good);
        }
        const auto plain = OcspRequest::about(card(), issuer, OcspRequest::IssuerHash::sha1,
                                              OcspRequest::Nonce::without);
        CHECK(plain.nonce().empty());
        CHECK(plain.der() == OcspRequest::about(card(), issuer, OcspRequest::IssuerHash::sha1,
                                                OcspRequest::Nonce::without)
                                 .der());
    }
}
