#include "support/revocations.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/openssl.hpp"
#include "pki/der.hpp"
#include "pki/rsa_key.hpp"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <map>

namespace cps::test {
namespace {

using pki::FreeWith;
using pki::must;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>>;
using EnumeratedPtr = std::unique_ptr<ASN1_ENUMERATED, FreeWith<ASN1_ENUMERATED_free>>;
using RevokedPtr = std::unique_ptr<X509_REVOKED, FreeWith<X509_REVOKED_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, FreeWith<OCSP_BASICRESP_free>>;
using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, FreeWith<OCSP_RESPONSE_free>>;
using IdPtr = std::unique_ptr<OCSP_CERTID, FreeWith<OCSP_CERTID_free>>;

constexpr std::uint64_t seed = 31;
constexpr const char* unknown_oid = "1.2.250.1.71.9.9.9";

IntegerPtr integer_of(ByteView big_endian)
{
    const pki::BignumPtr number{
        must(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr))};
    return IntegerPtr{must(BN_to_ASN1_INTEGER(number.get(), nullptr))};
}

ExtensionPtr extension_of(const pki::Extension& spec)
{
    const pki::ObjectPtr oid{must(OBJ_txt2obj(spec.oid.c_str(), 1))};
    const OctetsPtr value{must(ASN1_OCTET_STRING_new())};
    must(ASN1_OCTET_STRING_set(value.get(), spec.value.data(),
                               static_cast<int>(spec.value.size())));
    return ExtensionPtr{must(X509_EXTENSION_create_by_OBJ(
        nullptr, oid.get(), static_cast<int>(spec.critical), value.get()))};
}

void add_number(X509_CRL* list, int nid, long long number, bool critical)
{
    const IntegerPtr value{must(ASN1_INTEGER_new())};
    must(ASN1_INTEGER_set_int64(value.get(), number));
    must(X509_CRL_add1_ext_i2d(list, nid, value.get(), static_cast<int>(critical), 0));
}

void add_revoked(X509_CRL* list, const RevokedSpec& spec)
{
    RevokedPtr entry{must(X509_REVOKED_new())};
    must(X509_REVOKED_set_serialNumber(entry.get(),
                                       integer_of(from_hex(spec.serial).value()).get()));
    must(X509_REVOKED_set_revocationDate(entry.get(), pki::to_openssl(spec.at).get()));
    if (spec.reason) {
        const EnumeratedPtr reason{must(ASN1_ENUMERATED_new())};
        must(ASN1_ENUMERATED_set(reason.get(), *spec.reason));
        must(X509_REVOKED_add1_ext_i2d(entry.get(), NID_crl_reason, reason.get(), 0, 0));
    }
    for (const auto& each : spec.more)
        must(X509_REVOKED_add_ext(entry.get(), extension_of(each).get(), -1));
    must(X509_CRL_add0_revoked(list, entry.get()));
    (void)entry.release(); // the list owns it now
}

void add_single(OCSP_BASICRESP* answer, const SingleSpec& spec)
{
    const IdPtr id{
        must(OCSP_cert_to_id(spec.sha256 ? EVP_sha256() : EVP_sha1(), spec.about->native(),
                             test_hierarchy().issuing().certificate.get()))};
    const auto revoked_at = pki::to_openssl(issue_time);
    const auto made = pki::to_openssl(spec.this_update);
    pki::TimePtr next;
    if (spec.next_update)
        next = pki::to_openssl(*spec.next_update);
    auto* single = must(OCSP_basic_add1_status(
        answer, id.get(), spec.status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
        spec.status == V_OCSP_CERTSTATUS_REVOKED ? revoked_at.get() : nullptr, made.get(),
        next.get()));
    if (spec.critical_extension)
        must(OCSP_SINGLERESP_add_ext(
            single, extension_of({unknown_oid, true, {0x05, 0x00}}).get(), -1));
}

} // namespace

Bytes crl_of(const CrlSpec& spec)
{
    const auto& issuer = spec.issuer != nullptr ? *spec.issuer : test_hierarchy().issuing();
    const auto& signer = spec.key_of != nullptr ? *spec.key_of : issuer;
    const pki::CrlPtr list{must(X509_CRL_new())};
    if (spec.version != 0)
        must(X509_CRL_set_version(list.get(), spec.version));
    must(X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get())));
    must(X509_CRL_set1_lastUpdate(list.get(), pki::to_openssl(spec.this_update).get()));
    if (spec.next_update)
        must(X509_CRL_set1_nextUpdate(list.get(), pki::to_openssl(*spec.next_update).get()));
    for (const auto& entry : spec.revoked)
        add_revoked(list.get(), entry);
    if (spec.number)
        add_number(list.get(), NID_crl_number, *spec.number, false);
    if (spec.base)
        add_number(list.get(), NID_delta_crl, *spec.base, true);
    for (const auto& each : spec.more)
        must(X509_CRL_add_ext(list.get(), extension_of(each).get(), -1));
    must(X509_CRL_sign(list.get(), signer.key.get(), spec.sha1 ? EVP_sha1() : EVP_sha256()));
    return pki::der_of(i2d_X509_CRL, list.get());
}

std::string serial_of(const x509::Certificate& certificate)
{
    const auto* serial = X509_get0_serialNumber(certificate.native());
    return to_hex(
        {ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
}

pki::Extension issuing_point(const std::string& uri, const std::vector<unsigned>& flags)
{
    Bytes content;
    if (!uri.empty())
        content = pki::der::constructed(
            0, pki::der::constructed(0, pki::der::primitive(6, octets(uri))));
    for (const auto flag : flags) {
        const auto said = pki::der::primitive(flag, Bytes{0xFF});
        content.insert(content.end(), said.begin(), said.end());
    }
    return {"2.5.29.28", true, pki::der::tagged(0x30, content)};
}

Bytes ocsp_of(const OcspSpec& spec)
{
    static const auto usual = test_hierarchy().ocsp_responder();
    const auto& signer = spec.signer != nullptr ? *spec.signer : usual;
    const BasicPtr answer{must(OCSP_BASICRESP_new())};
    for (const auto& single : spec.singles)
        add_single(answer.get(), single);
    if (!spec.nonce.empty()) {
        auto nonce = spec.nonce;
        must(OCSP_basic_add1_nonce(answer.get(), nonce.data(), static_cast<int>(nonce.size())));
    }
    if (spec.critical_extension)
        must(OCSP_BASICRESP_add_ext(answer.get(),
                                    extension_of({unknown_oid, true, {0x05, 0x00}}).get(), -1));
    unsigned long flags = 0;
    if (spec.named_by_key)
        flags |= OCSP_RESPID_KEY;
    if (spec.without_certificates)
        flags |= OCSP_NOCERTS;
    must(OCSP_basic_sign(answer.get(), signer.certificate.get(), signer.key.get(),
                         spec.sha1 ? EVP_sha1() : EVP_sha256(), nullptr, flags));
    const ResponsePtr response{
        must(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, answer.get()))};
    return pki::der_of(i2d_OCSP_RESPONSE, response.get());
}

pki::Authority responder_of(const ResponderSpec& spec)
{
    static std::map<unsigned, pki::KeyPtr> made;
    auto& key = made[spec.bits];
    if (!key)
        key = pki::rsa_key(seed, "responder", spec.bits);
    const auto& issuer = spec.issuer != nullptr ? *spec.issuer : test_hierarchy().issuing();
    pki::Draft draft{from_hex("0A0B0C").value(),
                     {{{"C", "FR"}}, {{"CN", "TEST OCSP"}}},
                     spec.not_before,
                     spec.not_before + spec.life,
                     {pki::basic_constraints_leaf(), pki::subject_key(pki::key_identifier(key)),
                      pki::authority_key(pki::key_identifier(issuer.key)),
                      pki::key_usage({pki::KeyUsage::digital_signature})},
                     spec.sha1 ? pki::SigningDigest::sha1 : pki::SigningDigest::sha256};
    draft.extensions.push_back(pki::extended_key_usage(
        {std::string{spec.ocsp_signing ? pki::id::ocsp_signing : pki::id::email_protection}}));
    if (spec.no_check)
        draft.extensions.push_back(pki::ocsp_no_check());
    return {key, pki::sign_certificate(draft, key, &issuer)};
}

x509::Certificate issuing_authority()
{
    return x509::Certificate::from_der(test_hierarchy().issuing().der()).value();
}

const pki::Authority& impostor()
{
    static const pki::Hierarchy made{{12, issue_time, 2048}};
    return made.issuing();
}

} // namespace cps::test
