#include "signable.hpp"

#include "support/certificates.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/token/json.hpp"

#include <doctest/doctest.h>

using namespace cps;
using namespace cps::agent;

namespace {

const auto origin = *token::Origin::parse("https://amelipro.example");
const auto nonce = *token::WebEidNonce::parse("dGhpcyBpcyBhIG5vbmNlIG9mIDMyIG9jdGV0cy4uLi4=");

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("a Web eID message is the two digests side by side, of the origin and the text")
    {
        const auto certificate = test::issue(test::physician());

        const auto what = Signable::web_eid(origin, nonce, certificate);

        REQUIRE(what.message().size() == 64);
        CHECK(to_hex(what.message().first(32)) ==
              to_hex(crypto::sha256(octets("https://amelipro.example"))));
        CHECK(to_hex(what.message().last(32)) ==
              to_hex(crypto::sha256(octets("dGhpcyBpcyBhIG5vbmNlIG9mIDMyIG9jdGV0cy4uLi4="))));
    }

    TEST_CASE("a Web eID token has five members and the certificate in standard base64")
    {
        const auto certificate = test::issue(test::physician());

        const auto text = Signable::web_eid(origin, nonce, certificate).answer(Bytes{1, 2, 3});

        const auto object = token::parse_json(text, 10'000).value().as_object();
        const auto member = [&](std::string_view name) {
            return std::string{token::string_member(object, name).value_or("")};
        };
        CHECK(object.size() == 5);
        CHECK(member("unverifiedCertificate") == to_base64(certificate.der()));
        CHECK(member("algorithm") == "RS256");
        CHECK(member("signature") == "AQID");
        CHECK(member("format") == "web-eid:1.0");
        CHECK(member("appVersion").starts_with("cps-agent/"));
    }

    TEST_CASE("what is signed for a card token begins eyJ")
    {
        const auto certificate = test::issue(test::physician());
        const token::CardClaims claims{"899700000013",
                                       origin,
                                       token::Nonce::from_bytes(Bytes(32, 1)),
                                       "jti",
                                       epoch_seconds(1),
                                       epoch_seconds(61),
                                       epoch_seconds(1),
                                       {token::Feature::login()},
                                       {}};

        const auto what = Signable::card_token(claims, certificate);

        CHECK(text_of(what.message()).starts_with("eyJ"));
        CHECK(what.answer(Bytes{1}) == std::string{text_of(what.message())} + ".AQ");
    }
}
