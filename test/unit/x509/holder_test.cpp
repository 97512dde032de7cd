#include "cps/x509/holder.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/openssl.hpp"
#include "support/certificates.hpp"
#include "support/vector_file.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace cps;
using test::certificate_named;
using test::NameValue;
using x509::holder_of;

namespace {

x509::Holder read(const char* path)
{
    return holder_of(x509::Certificate::from_der(test::read_vector_octets(path)).value())
        .value();
}

x509::Certificate named(const std::string& cn, int type = V_ASN1_UTF8STRING)
{
    return certificate_named({{NID_commonName, type, cn}});
}

bool is_malformed(const x509::Certificate& certificate)
{
    const auto holder = holder_of(certificate);
    return !holder && holder.error().code() == Errc::malformed_input;
}

/// The physician with one private extension in another encoding.
x509::Certificate with_extension(std::string_view oid, std::string_view hex)
{
    return certificate_named({{NID_commonName, V_ASN1_UTF8STRING, "899700367917"}},
                             {{std::string{oid}, false, from_hex(hex).value()}});
}

} // namespace

TEST_SUITE("x509")
{
    TEST_CASE("the holder of ANS's IGC-Santé test certificate is read")
    {
        const auto holder = read("certificates/ans-test-igc-sante-signature.der");

        CHECK(holder.id == "00B6087510");
        CHECK(holder.id_kind == "adeli");
        CHECK(holder.surname == "INFIRMCS ADELI8751");
        CHECK(holder.given_names == "OLIVIER");
        CHECK(holder.card_type == x509::CardType::cps);
        CHECK(holder.card_number == "8025000001/2800636234");
        CHECK(holder.product_category == 0x80);
        CHECK(holder.profession.value().code == "60");
        CHECK(holder.profession.value().label == "Infirmier");
        CHECK_FALSE(holder.speciality);
    }

    TEST_CASE("the holder of ANS's CPS2ter test certificate is read, T61String and all")
    {
        const auto holder = read("certificates/ans-test-cps2ter-authentication.der");

        CHECK(holder.id == "00B1058110");
        CHECK(holder.surname == "MAXIMAXIMAXIMAXIMAXIMAX5811");
        CHECK(holder.given_names == "MUMUMUMUMUMUMUMUMUMUMUMUMUM");
        CHECK(holder.card_type == x509::CardType::cps);
        CHECK(holder.card_number == "8025000001/2400241472");
        CHECK(holder.product_category == 0x80);
        CHECK(holder.profession.value().code == "10");
        CHECK(holder.profession.value().label == "Médecin");
        CHECK(holder.speciality.value().code == "SM36");
        CHECK(holder.speciality.value().label == "Oncologie, option médicale");
    }

    TEST_CASE("one RDN with three values is read in every order that DER gives it")
    {
        const std::string shortest = "A";
        const std::string middle = "BCDEFGHI";
        const std::string longest = "JKLMNOPQRSTUVWXYZ";
        const std::string order[6][3] = {
            {shortest, middle, longest}, {shortest, longest, middle},
            {middle, shortest, longest}, {middle, longest, shortest},
            {longest, shortest, middle}, {longest, middle, shortest}};
        std::set<std::vector<int>> seen;

        for (const auto& [cn, sn, gn] : order) {
            const auto certificate =
                certificate_named({{NID_commonName, V_ASN1_UTF8STRING, cn},
                                   {NID_surname, V_ASN1_UTF8STRING, sn, true},
                                   {NID_givenName, V_ASN1_UTF8STRING, gn, true}});
            const auto* name = X509_get_subject_name(certificate.native());
            REQUIRE(X509_NAME_entry_count(name) == 3);
            std::vector<int> kinds;
            for (int i = 0; i != 3; ++i) {
                const auto* entry = X509_NAME_get_entry(name, i);
                kinds.push_back(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)));
                CHECK(X509_NAME_ENTRY_set(entry) == 0);
            }
            seen.insert(kinds);

            const auto holder = holder_of(certificate).value();

            CHECK(holder.id == cn);
            CHECK(holder.surname == sn);
            CHECK(holder.given_names == gn);
        }
        CHECK(seen.size() == 6); // the test did meet all of them
    }

    TEST_CASE("single-valued RDNs are read as well")
    {
        const auto holder =
            holder_of(certificate_named({{NID_countryName, V_ASN1_PRINTABLESTRING, "FR"},
                                         {NID_givenName, V_ASN1_UTF8STRING, "ANNE"},
                                         {NID_surname, V_ASN1_UTF8STRING, "MARTIN"},
                                         {NID_commonName, V_ASN1_UTF8STRING, "899700367917"}}))
                .value();

        CHECK(holder.id == "899700367917");
        CHECK(holder.surname == "MARTIN");
        CHECK(holder.given_names == "ANNE");
    }

    TEST_CASE("names in Latin-1, UTF-8 and BMPString come out as UTF-8")
    {
        const auto holder =
            holder_of(
                certificate_named(
                    {{NID_commonName, V_ASN1_PRINTABLESTRING, "899700367917"},
                     {NID_surname, V_ASN1_T61STRING, "LEF\xC8VRE"},
                     {NID_givenName, V_ASN1_UTF8STRING, "Zo\u00EB"},
                     {NID_givenName, V_ASN1_BMPSTRING, std::string{"\0N\0o\0\xEB\0l", 8}}}))
                .value();

        CHECK(holder.surname == "LEFÈVRE");
        CHECK(holder.given_names == "Zoë Noël");
    }

    TEST_CASE("one RDN of three values may be in Latin-1")
    {
        const auto holder =
            holder_of(certificate_named({{NID_commonName, V_ASN1_T61STRING, "00B6087510"},
                                         {NID_surname, V_ASN1_T61STRING, "D'\xC9T\xC9", true},
                                         {NID_givenName, V_ASN1_T61STRING, "Ana\xEFs", true}}))
                .value();

        CHECK(holder.id == "00B6087510");
        CHECK(holder.surname == "D'ÉTÉ");
        CHECK(holder.given_names == "Anaïs");
    }

    TEST_CASE("a card of a structure's staff may bear a pseudonym, or no name at all")
    {
        const NameValue cn{NID_commonName, V_ASN1_UTF8STRING, "3760021832/000000018"};
        const auto lent =
            holder_of(certificate_named({cn, {NID_pseudonym, V_ASN1_UTF8STRING, "ACCUEIL 1"}}))
                .value();
        CHECK(lent.id_kind == "finess");
        CHECK(lent.surname == "ACCUEIL 1");
        CHECK(lent.given_names.empty());

        const auto named =
            holder_of(certificate_named({cn,
                                         {NID_surname, V_ASN1_UTF8STRING, "MARTIN"},
                                         {NID_pseudonym, V_ASN1_UTF8STRING, "ACCUEIL 1"}}))
                .value();
        CHECK(named.surname == "MARTIN");
        CHECK(holder_of(certificate_named({cn})).value().surname.empty());
        CHECK(
            is_malformed(certificate_named({cn, {NID_pseudonym, V_ASN1_UTF8STRING, "A\nB"}})));
    }

    TEST_CASE("every profession in force in TRE_G15 has a label")
    {
        for (const int code : {10, 21, 26, 28, 31, 32, 40, 50, 60, 69, 70, 80,
                               81, 82, 83, 84, 85, 86, 91, 92, 94, 95, 96, 98}) {
            CAPTURE(code);
            const auto holder =
                holder_of(certificate_named({{NID_commonName, V_ASN1_UTF8STRING, "8997"}},
                                            {pki::profession(static_cast<unsigned>(code))}))
                    .value();
            CHECK(holder.profession.value().code == std::to_string(code));
            CHECK(holder.profession.value().label != std::to_string(code));
        }
    }

    TEST_CASE("a subject without exactly one CN is refused")
    {
        CHECK(is_malformed(certificate_named({{NID_surname, V_ASN1_UTF8STRING, "MARTIN"}})));
        CHECK(is_malformed(
            certificate_named({{NID_commonName, V_ASN1_UTF8STRING, "899700367917"},
                               {NID_commonName, V_ASN1_UTF8STRING, "899700367925"}})));
        CHECK(is_malformed(
            certificate_named({{NID_commonName, V_ASN1_UTF8STRING, "899700367917"},
                               {NID_commonName, V_ASN1_UTF8STRING, "899700367917", true}})));
    }

    TEST_CASE("an identifier has letters, digits and a few marks; a NUL ends nothing")
    {
        CHECK(holder_of(named("899700367917")).value().id == "899700367917");
        CHECK(holder_of(named("00B6087510")).value().id == "00B6087510");

        using namespace std::string_literals;
        for (const auto& bad : {"899700367917\0.evil"s, "8 99"s, "8\n9"s, "8\"9"s, "8\u00E9"s,
                                "8'or'1"s, std::string(65, '8')})
            CHECK_THROWS(holder_of(named(bad)).value());
    }

    TEST_CASE("names that are not valid text are refused")
    {
        for (const auto* bad : {"MAR\x1BTIN", "MAR\nTIN", "MAR\x7FTIN", "MAR\xC2\x9BTIN"})
            CHECK(is_malformed(
                certificate_named({{NID_commonName, V_ASN1_UTF8STRING, "899700367917"},
                                   {NID_surname, V_ASN1_UTF8STRING, bad}})));
    }

    TEST_CASE("the first digit of an identifier tells its kind")
    {
        const std::pair<const char*, const char*> kinds[] = {
            {"012345678", "adeli"},
            {"112345678/01", "cabinet_adeli"},
            {"3760021832/000000018", "finess"},
            {"412345678/CPE00001", "siren"},
            {"500000000029751/CPAT0001", "siret"},
            {"610000000001", "cabinet_rpps"},
            {"899700367917", "rpps"},
            {"200000000000", "other"},
            {"X", "other"},
        };
        for (const auto& [id, kind] : kinds) {
            CAPTURE(id);
            CHECK(holder_of(named(id)).value().id_kind == kind);
        }
    }

    TEST_CASE("a profession is read from any ASN.1 type that a CA may have chosen")
    {
        const auto oid = pki::id::profession;
        for (const auto* encoding : {
                 "02 01 0A",        // INTEGER
                 "0A 01 0A",        // ENUMERATED
                 "0C 02 31 30",     // UTF8String
                 "13 02 31 30",     // PrintableString
                 "16 02 31 30",     // IA5String
                 "1E 04 00310030",  // BMPString
                 "04 01 0A",        // OCTET STRING, the number
                 "04 02 31 30",     // OCTET STRING, the text
                 "30 03 02 01 0A",  // SEQUENCE OF
                 "31 04 0C 02 3130" // SET OF
             }) {
            CAPTURE(encoding);
            const auto holder = holder_of(with_extension(oid, encoding)).value();
            CHECK(holder.profession.value().code == "10");
            CHECK(holder.profession.value().label == "Médecin");
        }
    }

    TEST_CASE("a product category is one octet, however it is written")
    {
        for (const auto* encoding : {"04 01 80", "02 02 00 80", "0C 02 38 30", "04 02 38 30"}) {
            CAPTURE(encoding);
            CHECK(holder_of(with_extension(pki::id::product_category, encoding))
                      .value()
                      .product_category == 0x80);
        }
        CHECK(holder_of(with_extension(pki::id::product_category, "04 01 00"))
                  .value()
                  .product_category == 0);
        CHECK_FALSE(holder_of(named("899700367917")).value().product_category);
    }

    TEST_CASE("the speciality is the first of its list")
    {
        for (const auto* encoding : {"31 06 0C 04 534D3534",
                                     "30 0C 13 04 534D3534 13 04 534D3236", "0C 04 534D3534"}) {
            CAPTURE(encoding);
            const auto holder =
                holder_of(with_extension(pki::id::speciality, encoding)).value();
            CHECK(holder.speciality.value().code == "SM54");
            CHECK(holder.speciality.value().label == "Médecine générale");
        }
    }

    TEST_CASE("a code that no table knows is its own label")
    {
        const auto holder = holder_of(with_extension(pki::id::profession, "02 01 63")).value();

        CHECK(holder.profession.value().code == "99");
        CHECK(holder.profession.value().label == "99");
    }

    TEST_CASE("card types are those of TRE_G02")
    {
        const std::pair<const char*, x509::CardType> types[] = {
            {"02 01 00", x509::CardType::cps},
            {"02 01 01", x509::CardType::cpf},
            {"0C 01 32", x509::CardType::cpe},
            {"04 01 03", x509::CardType::cpa},
        };
        for (const auto& [encoding, type] : types)
            CHECK(holder_of(with_extension(pki::id::card_type, encoding)).value().card_type ==
                  type);
        CHECK_FALSE(holder_of(named("899700367917")).value().card_type);
        CHECK(x509::name_of(x509::CardType::cpa) == "CPA");
    }

    TEST_CASE("an extension of ANS's that cannot be read is not taken for a missing one")
    {
        const std::pair<std::string_view, const char*> broken[] = {
            {pki::id::card_type, "02 01 04"},          // no such type
            {pki::id::card_type, "02 01 FF"},          // negative
            {pki::id::card_type, ""},                  // nothing
            {pki::id::card_type, "02 01 00 00"},       // something after it
            {pki::id::card_type, "05 00"},             // NULL
            {pki::id::product_category, "02 02 0100"}, // above an octet
            {pki::id::product_category, "04 03 000000"},
            {pki::id::product_category, "0C 02 385A"}, // "8Z"
            {pki::id::profession, "04 02 00 0A"},
            {pki::id::profession, "0C 00"},
            {pki::id::speciality, "30 00"},
            {pki::id::speciality, "30 08 30 06 0C 04 534D3534"}, // nested
            {pki::id::card_number, "0C 02 C328"},                // not UTF-8
        };
        for (const auto& [oid, encoding] : broken) {
            CAPTURE(encoding);
            CHECK(is_malformed(with_extension(oid, encoding)));
        }
    }
}
