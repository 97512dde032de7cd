#include "pki/revocation.hpp"

#include "cps/base/encoding.hpp"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>

namespace cps::pki {
namespace {

using IntegerPtr = std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>>;
using EnumeratedPtr = std::unique_ptr<ASN1_ENUMERATED, FreeWith<ASN1_ENUMERATED_free>>;
using RevokedPtr = std::unique_ptr<X509_REVOKED, FreeWith<X509_REVOKED_free>>;
using OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;
using AuthorityKeyPtr = std::unique_ptr<AUTHORITY_KEYID, FreeWith<AUTHORITY_KEYID_free>>;
using RequestPtr = std::unique_ptr<OCSP_REQUEST, FreeWith<OCSP_REQUEST_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, FreeWith<OCSP_BASICRESP_free>>;
using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, FreeWith<OCSP_RESPONSE_free>>;
using CertificateIdPtr = std::unique_ptr<OCSP_CERTID, FreeWith<OCSP_CERTID_free>>;

constexpr long crl_version_2 = 1;
constexpr int max_certificates_asked = 16;             // in one OCSP request
constexpr std::chrono::seconds ocsp_answer_life{3600}; // until nextUpdate

IntegerPtr integer_of(ByteView big_endian)
{
    const BignumPtr number{
        must(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr))};
    return IntegerPtr{must(BN_to_ASN1_INTEGER(number.get(), nullptr))};
}

void add_revoked(X509_CRL* list, const IndexEntry& entry)
{
    RevokedPtr revoked{must(X509_REVOKED_new())};
    const auto serial = from_hex(entry.serial);
    must(X509_REVOKED_set_serialNumber(revoked.get(), integer_of(serial.value()).get()));
    must(X509_REVOKED_set_revocationDate(revoked.get(), to_openssl(*entry.revoked_at).get()));
    const EnumeratedPtr reason{must(ASN1_ENUMERATED_new())};
    must(ASN1_ENUMERATED_set(reason.get(), CRL_REASON_KEY_COMPROMISE));
    must(X509_REVOKED_add1_ext_i2d(revoked.get(), NID_crl_reason, reason.get(), 0, 0));
    must(X509_CRL_add0_revoked(list, revoked.get()));
    (void)revoked.release(); // the list owns it now
}

void add_crl_extensions(X509_CRL* list, const Authority& issuer, EpochSeconds this_update)
{
    const auto key_id = key_identifier(issuer.key);
    const AuthorityKeyPtr authority{must(AUTHORITY_KEYID_new())};
    authority->keyid = must(ASN1_OCTET_STRING_new());
    must(ASN1_OCTET_STRING_set(authority->keyid, key_id.data(),
                               static_cast<int>(key_id.size())));
    must(X509_CRL_add1_ext_i2d(list, NID_authority_key_identifier, authority.get(), 0, 0));
    const IntegerPtr number{must(ASN1_INTEGER_new())};
    must(ASN1_INTEGER_set_int64(number.get(), to_number(this_update)));
    must(X509_CRL_add1_ext_i2d(list, NID_crl_number, number.get(), 0, 0));
}

Bytes plain_answer(int status)
{
    const ResponsePtr response{must(OCSP_response_create(status, nullptr))};
    return der_of(i2d_OCSP_RESPONSE, response.get());
}

bool is_of(const Authority& issuer, OCSP_CERTID* asked)
{
    ASN1_OBJECT* digest = nullptr;
    ASN1_INTEGER* serial = nullptr;
    OCSP_id_get0_info(nullptr, &digest, nullptr, &serial, asked);
    const auto* algorithm = EVP_get_digestbyobj(digest);
    if (algorithm == nullptr)
        return false;
    const CertificateIdPtr ours{
        OCSP_cert_id_new(algorithm, X509_get_subject_name(issuer.certificate.get()),
                         X509_get0_pubkey_bitstr(issuer.certificate.get()), serial)};
    return ours && OCSP_id_issuer_cmp(ours.get(), asked) == 0;
}

void add_status(OCSP_BASICRESP* answer, OCSP_CERTID* asked, const Authority& issuer,
                const Index& index, EpochSeconds now)
{
    ASN1_INTEGER* serial = nullptr;
    OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, asked);
    const auto hex = to_hex(
        {ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
    const auto entry = std::ranges::find(index, hex, &IndexEntry::serial);
    const auto this_update = to_openssl(now);
    const auto next_update = to_openssl(now + ocsp_answer_life);

    int status = V_OCSP_CERTSTATUS_GOOD;
    TimePtr revoked_at;
    if (entry == index.end() || !is_of(issuer, asked)) {
        status = V_OCSP_CERTSTATUS_UNKNOWN;
    } else if (entry->revoked_at) {
        status = V_OCSP_CERTSTATUS_REVOKED;
        revoked_at = to_openssl(*entry->revoked_at);
    }
    must(OCSP_basic_add1_status(answer, asked, status, CRL_REASON_KEY_COMPROMISE,
                                revoked_at.get(), this_update.get(), next_update.get()));
}

} // namespace

Bytes crl(const Authority& issuer, const Index& index, EpochSeconds this_update,
          EpochSeconds next_update)
{
    const CrlPtr list{must(X509_CRL_new())};
    must(X509_CRL_set_version(list.get(), crl_version_2));
    must(X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get())));
    must(X509_CRL_set1_lastUpdate(list.get(), to_openssl(this_update).get()));
    must(X509_CRL_set1_nextUpdate(list.get(), to_openssl(next_update).get()));
    for (const auto& entry : index)
        if (entry.revoked_at)
            add_revoked(list.get(), entry);
    add_crl_extensions(list.get(), issuer, this_update);
    must(X509_CRL_sort(list.get()));
    must(X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256()));
    return der_of(i2d_X509_CRL, list.get());
}

Bytes ocsp_answer(ByteView request, const Authority& issuer, const Authority& responder,
                  const Index& index, EpochSeconds now)
{
    const auto* cursor = request.data();
    const RequestPtr parsed{
        d2i_OCSP_REQUEST(nullptr, &cursor, static_cast<long>(request.size()))};
    const int count = parsed ? OCSP_request_onereq_count(parsed.get()) : 0;
    if (count < 1 || count > max_certificates_asked)
        return plain_answer(OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);

    const BasicPtr answer{must(OCSP_BASICRESP_new())};
    for (int i = 0; i != count; ++i)
        add_status(answer.get(), OCSP_onereq_get0_id(OCSP_request_onereq_get0(parsed.get(), i)),
                   issuer, index, now);
    OCSP_copy_nonce(answer.get(), parsed.get()); // RFC 6960, 4.4.1; none is fine
    must(OCSP_basic_sign(answer.get(), responder.certificate.get(), responder.key.get(),
                         EVP_sha256(), nullptr, 0));
    const ResponsePtr response{
        must(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, answer.get()))};
    return der_of(i2d_OCSP_RESPONSE, response.get());
}

} // namespace cps::pki
