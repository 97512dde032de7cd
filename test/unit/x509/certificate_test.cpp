#include "cps/x509/certificate.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/openssl.hpp"
#include "cps/x509/holder.hpp"
#include "support/certificates.hpp"
#include "support/keys.hpp"
#include "support/vector_file.hpp"

#include <doctest/doctest.h>

using namespace cps;
using x509::Certificate;

namespace {

const auto ans_signature = "certificates/ans-test-igc-sante-signature.der";
const auto ans_authentication = "certificates/ans-test-cps2ter-authentication.der";

Certificate read(const char* path)
{
    return Certificate::from_der(test::read_vector_octets(path)).value();
}

Errc refusal(ByteView der)
{
    const auto result = Certificate::from_der(der);
    return result ? Errc::internal : result.error().code();
}

} // namespace

TEST_SUITE("x509")
{
    TEST_CASE("ANS's IGC-Santé test certificate is read, and is one for signatures only")
    {
        const auto certificate = read(ans_signature);

        CHECK(certificate.der() == test::read_vector_octets(ans_signature));
        CHECK(certificate.not_before() == epoch_seconds(1600172400)); // 2020-09-15T12:20:00Z
        CHECK(certificate.not_after() == epoch_seconds(1694780400));  // 2023-09-15T12:20:00Z
        CHECK(certificate.key().value().bits() == 2048);
        CHECK_FALSE(certificate.allows_digital_signature());
        CHECK_FALSE(certificate.allows_client_authentication());
        CHECK_FALSE(certificate.is_authentication_certificate());
        CHECK(certificate.policies() ==
              std::vector<std::string>{"1.2.250.1.213.1.7.2.1.1.1.1"});
        CHECK(certificate.issuer() == "CN=TEST AC IGC-SANTE FORT PERSONNES,OU=IGC-SANTE TEST,"
                                      "OU=0002 187512751,O=ASIP-SANTE,C=FR");
    }

    TEST_CASE("ANS's CPS2ter test certificate is read, and is one for authentication")
    {
        const auto certificate = read(ans_authentication);

        CHECK(certificate.key().value().bits() == 1024);
        CHECK(certificate.is_authentication_certificate());
        CHECK(certificate.subject() ==
              "GN=MUMUMUMUMUMUMUMUMUMUMUMUMUM+SN=MAXIMAXIMAXIMAXIMAXIMAX5811+"
              "CN=00B1058110,OU=Médecin,O=TEST,C=FR");
    }

    TEST_CASE("a certificate ends where it ends")
    {
        auto der = test::read_vector_octets(ans_signature);
        der.push_back(0);
        CHECK(refusal(der) == Errc::malformed_input);

        CHECK(refusal({}) == Errc::malformed_input);
        CHECK(refusal(Bytes(100)) == Errc::malformed_input);
        CHECK(refusal(Bytes(x509::max_certificate_size + 1, 0x30)) == Errc::too_large);
    }

    TEST_CASE("BER spellings of a certificate are refused")
    {
        const auto der = test::read_vector_octets(ans_signature);
        REQUIRE(der[1] == 0x82);

        auto indefinite = der;
        indefinite[1] = 0x80;
        indefinite.erase(indefinite.begin() + 2, indefinite.begin() + 4);
        indefinite.insert(indefinite.end(), {0, 0});
        CHECK(refusal(indefinite) == Errc::malformed_input);

        auto long_length = der;
        long_length[1] = 0x83;
        long_length.insert(long_length.begin() + 2, 0);
        CHECK(refusal(long_length) == Errc::malformed_input);

        // OpenSSL alone would take both.
        for (const auto& spelling : {indefinite, long_length}) {
            const auto* in = spelling.data();
            const crypto::ossl::UniqueX509 taken{
                d2i_X509(nullptr, &in, static_cast<long>(spelling.size()))};
            CHECK(taken);
        }
    }

    TEST_CASE("no cut or change of one octet of a certificate does harm")
    {
        for (const auto* path : {ans_signature, ans_authentication}) {
            const auto der = test::read_vector_octets(path);
            for (std::size_t i = 0; i != der.size(); ++i) {
                CHECK(refusal(ByteView{der}.first(i)) == Errc::malformed_input);
                auto changed = der;
                changed[i] ^= 0xFF;
                if (const auto read = Certificate::from_der(changed))
                    (void)x509::holder_of(*read);
            }
        }
    }

    TEST_CASE("an extension that stands twice is refused")
    {
        auto spec = test::physician();
        spec.more = {pki::profession(21)}; // beside the 10 of the card

        CHECK_THROWS_AS(test::issue(spec), Error);
    }

    TEST_CASE("a PEM text gives its certificates in order and passes other things over")
    {
        const auto first = read(ans_signature);
        const auto second = read(ans_authentication);
        const auto other = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

        const auto read = Certificate::from_pem("Bag Attributes\n" + first.pem() + other +
                                                second.pem() + "end\n")
                              .value();

        REQUIRE(read.size() == 2);
        CHECK(read[0].der() == first.der());
        CHECK(read[1].der() == second.der());
        CHECK(Certificate::from_pem("").value().empty());
    }

    TEST_CASE("a PEM text with one broken certificate is refused whole")
    {
        const auto good = read(ans_signature).pem();
        const auto broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        const auto cut = "-----BEGIN CERTIFICATE-----\nMIIB";
        std::string many;
        while (many.size() < 300 * good.size())
            many += good;

        CHECK(Certificate::from_pem(good + broken).error().code() == Errc::malformed_input);
        CHECK(Certificate::from_pem(good + cut).error().code() == Errc::malformed_input);
        CHECK(Certificate::from_pem(many).error().code() == Errc::too_large);
    }

    TEST_CASE("an issued card certificate tells its digest, dates, usage and policy")
    {
        const auto spec = test::physician();
        const auto certificate = test::issue(spec);

        CHECK(certificate.sha256() == crypto::sha256(certificate.der()));
        CHECK(certificate.not_before() == spec.not_before);
        CHECK(certificate.not_after() == spec.not_after);
        CHECK(certificate.is_authentication_certificate());
        CHECK(certificate.policies() == spec.policies);
        CHECK(certificate.key().value().rsa_exponent() == 65537);
    }

    TEST_CASE("without KeyUsage or ExtendedKeyUsage nothing is allowed")
    {
        auto spec = test::physician();
        spec.without = {std::string{pki::id::key_usage}};
        CHECK_FALSE(test::issue(spec).allows_digital_signature());
        CHECK_FALSE(test::issue(spec).is_authentication_certificate());

        spec.without = {std::string{pki::id::extended_key_usage}};
        CHECK_FALSE(test::issue(spec).allows_client_authentication());
        CHECK_FALSE(test::issue(spec).is_authentication_certificate());

        spec.without.clear();
        spec.ca = true;
        CHECK(test::issue(spec).allows_client_authentication());
        CHECK_FALSE(test::issue(spec).is_authentication_certificate());
    }

    TEST_CASE("refused certificates leave nothing on the thread's OpenSSL error queue")
    {
        ERR_clear_error();

        (void)Certificate::from_der(from_hex("30 03 30 01 00").value());
        (void)Certificate::from_pem("-----BEGIN CERTIFICATE-----\nMAA=\n");

        CHECK(ERR_peek_error() == 0);
    }
}
