#include "fixture.hpp"

#include "pki/files.hpp"

#include "cps/base/encoding.hpp"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

using namespace cps;
using test::doctor_leaf;
using test::hierarchy;
using test::pki_time;

namespace {

std::vector<pki::Authority> all_leaves()
{
    std::vector<pki::Authority> out;
    for (const auto& card : pki::fictitious_cards()) {
        const auto until = pki::years_after(pki_time, pki::leaf_years);
        out.push_back(hierarchy().issue(
            pki::authentication_leaf(card.name, card.person, pki_time, until)));
        out.push_back(
            hierarchy().issue(pki::signature_leaf(card.name, card.person, pki_time, until)));
    }
    return out;
}

/// X509_V_OK or why not, under the root alone, strictly.
int verify(const pki::Authority& leaf, EpochSeconds at)
{
    const std::unique_ptr<X509_STORE, pki::FreeWith<X509_STORE_free>> store{X509_STORE_new()};
    X509_STORE_add_cert(store.get(), hierarchy().root().certificate.get());
    const std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * s) { sk_X509_free(s); })>
        untrusted{sk_X509_new_null()};
    sk_X509_push(untrusted.get(), hierarchy().issuing().certificate.get());
    const std::unique_ptr<X509_STORE_CTX, pki::FreeWith<X509_STORE_CTX_free>> context{
        X509_STORE_CTX_new()};
    X509_STORE_CTX_init(context.get(), store.get(), leaf.certificate.get(), untrusted.get());
    X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT);
    X509_STORE_CTX_set_time(context.get(), 0, static_cast<time_t>(to_number(at)));
    X509_verify_cert(context.get());
    return X509_STORE_CTX_get_error(context.get());
}

struct Entry {
    std::string type;
    int rdn;
};
std::vector<Entry> subject_of(const pki::Authority& leaf)
{
    std::vector<Entry> out;
    const auto* name = X509_get_subject_name(leaf.certificate.get());
    for (int i = 0; i != X509_NAME_entry_count(name); ++i) {
        const auto* entry = X509_NAME_get_entry(name, i);
        out.push_back({OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))),
                       X509_NAME_ENTRY_set(entry)});
    }
    return out;
}

/// The dotted OIDs of a certificate's extensions, in their order.
std::vector<std::string> order_of_extensions(const pki::Authority& leaf)
{
    std::vector<std::string> out;
    for (int i = 0; i != X509_get_ext_count(leaf.certificate.get()); ++i) {
        std::array<char, 80> oid{};
        OBJ_obj2txt(oid.data(), oid.size(),
                    X509_EXTENSION_get_object(X509_get_ext(leaf.certificate.get(), i)), 1);
        out.emplace_back(oid.data());
    }
    return out;
}

/// The DER inside each extension, by dotted OID.
std::map<std::string, std::string> extensions_of(const pki::Authority& leaf)
{
    std::map<std::string, std::string> out;
    for (int i = 0; i != X509_get_ext_count(leaf.certificate.get()); ++i) {
        auto* extension = X509_get_ext(leaf.certificate.get(), i);
        std::array<char, 80> oid{};
        OBJ_obj2txt(oid.data(), oid.size(), X509_EXTENSION_get_object(extension), 1);
        const auto* value = X509_EXTENSION_get_data(extension);
        out[oid.data()] = to_hex({ASN1_STRING_get0_data(value),
                                  static_cast<std::size_t>(ASN1_STRING_length(value))});
    }
    return out;
}

} // namespace

TEST_SUITE("pki")
{
    TEST_CASE(
        "the two certificates of every card have 2,150 to 2,250 octets under a 4096-bit CA")
    {
        constexpr std::size_t longer_signature = (4096 - 2048) / 8; // ours signs with 2048 bits
        for (const auto& leaf : all_leaves()) {
            CHECK(leaf.der().size() + longer_signature >= 2150);
            CHECK(leaf.der().size() + longer_signature <= 2250);
        }
    }

    TEST_CASE("every leaf has a strict path to the root while it lasts, and not after")
    {
        for (const auto& leaf : all_leaves()) {
            CHECK(verify(leaf, pki_time) == X509_V_OK);
            CHECK(verify(leaf, pki_time - std::chrono::days{1}) ==
                  X509_V_ERR_CERT_NOT_YET_VALID);
            CHECK(verify(leaf, pki_time + std::chrono::days{3 * 366}) ==
                  X509_V_ERR_CERT_HAS_EXPIRED);
        }
    }

    TEST_CASE("a subject is country, title, then one RDN of three values, the shortest first")
    {
        const auto subject = subject_of(hierarchy().issue(doctor_leaf()));

        REQUIRE(subject.size() == 5);
        CHECK(subject[0].type == "C");
        CHECK(subject[1].type == "title");
        CHECK(subject[2].type == "GN");
        CHECK(subject[3].type == "CN");
        CHECK(subject[4].type == "SN");
        CHECK(subject[2].rdn == 2);
        CHECK(subject[3].rdn == 2);
        CHECK(subject[4].rdn == 2);
    }

    TEST_CASE("the order of the three values follows their lengths, so CN may come first")
    {
        const auto person = test::card_named("accents-cps3").person;
        const auto subject = subject_of(hierarchy().issue(pki::authentication_leaf(
            "accents-cps3", person, pki_time, pki::years_after(pki_time, 3))));

        REQUIRE(subject.size() == 5);
        CHECK(subject[2].type == "CN");
    }

    TEST_CASE("an authentication leaf says what a portal asks for")
    {
        const auto leaf = hierarchy().issue(doctor_leaf());
        auto* certificate = leaf.certificate.get();

        CHECK(X509_get_key_usage(certificate) == KU_DIGITAL_SIGNATURE);
        CHECK(X509_get_extended_key_usage(certificate) == XKU_SSL_CLIENT);
        auto extensions = extensions_of(leaf);
        CHECK(extensions["2.5.29.37"] ==
              "301606082B06010505070302060A2B060104018237140202"); // as on the CPS2ter card
        CHECK(extensions["2.5.29.17"].find(to_hex(octets("8.99700000013@carte-cps.example"))) !=
              std::string::npos);
        CHECK(extensions["2.5.29.19"] == "3000");
        CHECK(extensions["2.5.29.15"] == "03020780");
    }

    TEST_CASE("a signature leaf is for signatures alone")
    {
        const auto leaf = hierarchy().issue(
            pki::signature_leaf("medecin-cps3", test::card_named("medecin-cps3").person,
                                pki_time, pki::years_after(pki_time, 3)));
        auto extensions = extensions_of(leaf);

        CHECK(extensions["2.5.29.15"] == "03020640");
        CHECK(extensions["2.5.29.37"] == "300A06082B06010505070304");
        CHECK_FALSE(extensions.contains("2.5.29.17"));
    }

    TEST_CASE("ANS's private extensions have the types of its published certificates")
    {
        auto extensions = extensions_of(hierarchy().issue(doctor_leaf()));

        CHECK(extensions["1.2.250.1.71.1.2.2"] == "020100");
        CHECK(extensions["1.2.250.1.71.1.2.3"] ==
              "1315" + to_hex(octets("8025000001/2800100018")));
        CHECK(extensions["1.2.250.1.71.1.2.5"] == "040180");
        CHECK(extensions["1.2.250.1.71.1.2.7"] == "02010A");
        CHECK(extensions["1.2.250.1.71.4.2.5"] == "30060C04534D3236");
    }

    TEST_CASE("a signature leaf has the extensions of ANS's published one, in their order")
    {
        const std::filesystem::path vectors{std::getenv("CPS_TEST_VECTORS")};
        const auto der =
            pki::read_file(vectors / "certificates" / "ans-test-igc-sante-signature.der");
        const pki::Authority published{nullptr, pki::certificate_from_der(octets(der))};
        auto spec =
            pki::signature_leaf("infirmiere", test::card_named("infirmiere-cps4").person,
                                pki_time, pki::years_after(pki_time, 3));
        const auto ours = hierarchy().issue(spec);

        CHECK(order_of_extensions(ours) == order_of_extensions(published));
        for (const auto* oid : {"2.5.29.15", "2.5.29.19", "2.5.29.37", "1.2.250.1.71.1.2.2",
                                "1.2.250.1.71.1.2.5", "1.2.250.1.71.1.2.7"})
            CHECK(extensions_of(ours)[oid] == extensions_of(published)[oid]);
    }

    TEST_CASE("a CPE card carries its type, its structure's number and no profession")
    {
        const auto person = test::card_named("cpe-cps3").person;
        auto extensions = extensions_of(hierarchy().issue(
            pki::authentication_leaf("cpe", person, pki_time, pki::years_after(pki_time, 3))));

        CHECK(person.id == "500000000029751/CPAT0001");
        CHECK(extensions["1.2.250.1.71.1.2.2"] == "020102");
        CHECK_FALSE(extensions.contains("1.2.250.1.71.1.2.7"));
    }

    TEST_CASE("the same spec gives the same octets, another name another key and serial")
    {
        auto other = doctor_leaf();
        other.name = "other/auth";

        const auto first = hierarchy().issue(doctor_leaf());

        CHECK(first.der() == hierarchy().issue(doctor_leaf()).der());
        CHECK(EVP_PKEY_eq(first.key.get(), hierarchy().issue(other).key.get()) != 1);
    }

    TEST_CASE("a spec can make what verifiers must refuse")
    {
        auto spec = doctor_leaf();
        SUBCASE("SHA-1")
        {
            spec.digest = pki::SigningDigest::sha1;
            const auto leaf = hierarchy().issue(spec);
            CHECK(X509_get_signature_nid(leaf.certificate.get()) == NID_sha1WithRSAEncryption);
        }
        SUBCASE("RSA-1024")
        {
            spec.key_bits = 1024;
            CHECK(EVP_PKEY_get_bits(hierarchy().issue(spec).key.get()) == 1024);
        }
        SUBCASE("two CNs")
        {
            spec.common_names.push_back("899700000099");
            CHECK(subject_of(hierarchy().issue(spec)).size() == 6);
        }
        SUBCASE("one value an RDN")
        {
            spec.one_rdn = false;
            CHECK(subject_of(hierarchy().issue(spec)).back().rdn == 4);
        }
        SUBCASE("self-signed")
        {
            spec.self_signed = true;
            CHECK(verify(hierarchy().issue(spec), pki_time) ==
                  X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
        }
        SUBCASE("a CA")
        {
            spec.ca = true;
            CHECK(extensions_of(hierarchy().issue(spec))["2.5.29.19"] == "30030101FF");
        }
        SUBCASE("card in training, software certificate, no policy")
        {
            spec.card_type = 1;
            spec.product_category = 0x03;
            spec.policies.clear();
            auto extensions = extensions_of(hierarchy().issue(spec));
            CHECK(extensions["1.2.250.1.71.1.2.2"] == "020101");
            CHECK(extensions["1.2.250.1.71.1.2.5"] == "040103");
            CHECK_FALSE(extensions.contains("2.5.29.32"));
        }
        SUBCASE("an extension left out")
        {
            spec.without = {std::string{pki::id::key_usage}};
            CHECK_FALSE(extensions_of(hierarchy().issue(spec)).contains("2.5.29.15"));
        }
    }
}
