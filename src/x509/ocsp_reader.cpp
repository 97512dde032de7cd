#include "cps/x509/ocsp.hpp"

#include "authority.hpp"
#include "cps/crypto/openssl.hpp"
#include "der.hpp"
#include "time.hpp"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace cps::x509 {
namespace {

namespace ossl = crypto::ossl;
using UniqueResponse = std::unique_ptr<OCSP_RESPONSE, ossl::Deleter<OCSP_RESPONSE_free>>;
using UniqueBasic = std::unique_ptr<OCSP_BASICRESP, ossl::Deleter<OCSP_BASICRESP_free>>;
using UniqueId = std::unique_ptr<OCSP_CERTID, ossl::Deleter<OCSP_CERTID_free>>;
struct StackDeleter {
    void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }
};

constexpr int max_certificates = 8; // in one answer; there is one, the responder's
constexpr std::uint8_t tag_octet_string = 0x04;

/// What is wrong with an answer.
struct Fault {
    RevocationDoubt why;
};

UniqueBasic basic_response_of(ByteView der)
{
    if (der.size() > max_ocsp_response)
        throw Fault{RevocationDoubt::too_large};
    const auto* in = der.data();
    UniqueResponse response;
    if (is_one_der_element(der))
        response.reset(d2i_OCSP_RESPONSE(nullptr, &in, static_cast<long>(der.size())));
    if (!response || OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        throw Fault{RevocationDoubt::not_an_answer};
    UniqueBasic basic{OCSP_response_get1_basic(response.get())};
    if (!basic)
        throw Fault{RevocationDoubt::not_an_answer};
    return basic;
}

/// The answer's ResponderID is that certificate: by its name, or by its key's SHA-1.
bool names(OCSP_BASICRESP* basic, const X509* certificate)
{
    const ASN1_OCTET_STRING* key_hash = nullptr;
    const X509_NAME* name = nullptr;
    if (OCSP_resp_get0_id(basic, &key_hash, &name) != 1)
        return false;
    if (name != nullptr)
        return X509_NAME_cmp(name, X509_get_subject_name(certificate)) == 0;
    std::array<unsigned char, EVP_MAX_MD_SIZE> ours{};
    unsigned size = 0;
    return X509_pubkey_digest(certificate, EVP_sha1(), ours.data(), &size) == 1 &&
           std::ranges::equal(ByteView{ours.data(), size},
                              ByteView{ASN1_STRING_get0_data(key_hash),
                                       static_cast<std::size_t>(ASN1_STRING_length(key_hash))});
}

/// `certificate` may answer for `issuer` (RFC 6960, 4.2.2.2).
bool is_delegated(const Certificate& certificate, const Certificate& issuer, EpochSeconds now)
{
    auto* native = certificate.native();
    const auto flags = X509_get_extension_flags(native);
    const auto usage = X509_get_key_usage(native); // all bits where it is missing
    const auto key = certificate.key();
    return (flags & EXFLAG_XKUSAGE) != 0 &&
           (X509_get_extended_key_usage(native) & XKU_OCSP_SIGN) != 0 &&
           (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0 &&
           (flags & EXFLAG_CRITICAL) == 0 && certificate.not_before() <= now &&
           now <= certificate.not_after() && key && is_strong_key(*key) &&
           is_strong_signature(X509_get_signature_nid(native)) && issued(issuer, certificate);
}

/// Who signed the answer: the issuer, or one that it certified for this.
Certificate signer_of(OCSP_BASICRESP* basic, const Certificate& issuer, EpochSeconds now)
{
    if (names(basic, issuer.native()))
        return issuer;
    const auto* sent = OCSP_resp_get0_certs(basic);
    for (int i = 0; i < std::min(sk_X509_num(sent), max_certificates); ++i) {
        auto* const sent_here = sk_X509_value(sent, i);
        if (!names(basic, sent_here))
            continue;
        const auto each = Certificate::from_native(*sent_here);
        if (each && is_delegated(*each, issuer, now))
            return *each;
    }
    throw Fault{RevocationDoubt::bad_signature};
}

void verify_signature(OCSP_BASICRESP* basic, const Certificate& signer)
{
    const ASN1_OBJECT* algorithm = nullptr;
    int parameters = V_ASN1_UNDEF;
    X509_ALGOR_get0(&algorithm, &parameters, nullptr, OCSP_resp_get0_tbs_sigalg(basic));
    if (parameters != V_ASN1_UNDEF && parameters != V_ASN1_NULL)
        throw Fault{RevocationDoubt::bad_signature}; // RFC 4055, 5; RFC 5758, 3.2
    const auto key = signer.key();
    const std::unique_ptr<STACK_OF(X509), StackDeleter> candidates{sk_X509_new_null()};
    if (!candidates || sk_X509_push(candidates.get(), signer.native()) < 1)
        throw std::bad_alloc{};
    // OCSP_TRUSTOTHER: the signature alone; whose it must be was decided above.
    if (!key || !is_strong_key(*key) || !is_strong_signature(OBJ_obj2nid(algorithm)) ||
        OCSP_basic_verify(basic, candidates.get(), nullptr, OCSP_TRUSTOTHER | OCSP_NOINTERN) !=
            1)
        throw Fault{RevocationDoubt::bad_signature};
}

void check_nonce(OCSP_BASICRESP* basic, const OcspExpectation& expected)
{
    const auto place = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
    if (place < 0) {
        if (expected.nonce_required)
            throw Fault{RevocationDoubt::nonce_mismatch};
        return;
    }
    if (expected.nonce.empty() && !expected.nonce_required)
        return; // a stapled answer: whoever asked compared it
    const auto* value = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic, place));
    ByteView rest{ASN1_STRING_get0_data(value),
                  static_cast<std::size_t>(ASN1_STRING_length(value))};
    const auto nonce = take(rest, tag_octet_string);
    if (!nonce || !rest.empty() || !std::ranges::equal(nonce->content, expected.nonce))
        throw Fault{RevocationDoubt::nonce_mismatch};
}

void refuse_critical_extensions(OCSP_BASICRESP* basic)
{
    for (int i = 0; i < OCSP_BASICRESP_get_ext_count(basic); ++i) {
        auto* extension = OCSP_BASICRESP_get_ext(basic, i);
        if (X509_EXTENSION_get_critical(extension) != 0 &&
            OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_id_pkix_OCSP_Nonce)
            throw Fault{RevocationDoubt::unsupported};
    }
}

OcspAnswer read_single(OCSP_SINGLERESP* single, EpochSeconds now)
{
    for (int i = 0; i < OCSP_SINGLERESP_get_ext_count(single); ++i)
        if (X509_EXTENSION_get_critical(OCSP_SINGLERESP_get_ext(single, i)) != 0)
            throw Fault{RevocationDoubt::unsupported};
    int reason = 0;
    ASN1_GENERALIZEDTIME* revoked_at = nullptr;
    ASN1_GENERALIZEDTIME* made = nullptr;
    ASN1_GENERALIZEDTIME* next = nullptr;
    const auto status = OCSP_single_get0_status(single, &reason, &revoked_at, &made, &next);
    const auto this_update = time_of(made);

    OcspAnswer answer;
    answer.next_update = time_of(next);
    if (!this_update || (next != nullptr && !answer.next_update) ||
        (answer.next_update && *answer.next_update < *this_update))
        throw Fault{RevocationDoubt::not_an_answer};
    answer.this_update = *this_update;
    if (answer.this_update > now + revocation_clock_leeway)
        throw Fault{RevocationDoubt::future_dated};
    if (status == V_OCSP_CERTSTATUS_GOOD) {
        answer.status = RevocationVerdict::Status::good;
    } else if (status == V_OCSP_CERTSTATUS_REVOKED) {
        answer.status = RevocationVerdict::Status::revoked;
        answer.revoked_at = time_of(revoked_at).value_or(answer.this_update);
        answer.reason = reason_of(reason);
    }
    return answer;
}

/// Revoked before unknown before good.
int weight(const OcspAnswer& answer) noexcept
{
    switch (answer.status) {
    case RevocationVerdict::Status::good: return 0;
    case RevocationVerdict::Status::unknown: return 1;
    case RevocationVerdict::Status::revoked: break;
    }
    return 2;
}

OcspAnswer answer_about(OCSP_BASICRESP* basic, const OcspExpectation& expected,
                        EpochSeconds now)
{
    const auto id_by = [&](const EVP_MD* digest) {
        UniqueId id{
            OCSP_cert_to_id(digest, expected.certificate.native(), expected.issuer.native())};
        if (!id)
            throw std::bad_alloc{};
        return id;
    };
    const auto by_sha1 = id_by(EVP_sha1());
    const auto by_sha256 = id_by(EVP_sha256());
    std::optional<OcspAnswer> found;
    for (int i = 0; i < OCSP_resp_count(basic); ++i) { // bounded by max_ocsp_response
        auto* single = OCSP_resp_get0(basic, i);
        const auto* id = OCSP_SINGLERESP_get0_id(single);
        if (OCSP_id_cmp(id, by_sha1.get()) != 0 && OCSP_id_cmp(id, by_sha256.get()) != 0)
            continue;
        auto answer = read_single(single, now);
        if (!found || weight(answer) > weight(*found) ||
            (weight(answer) == weight(*found) && answer.this_update > found->this_update))
            found = std::move(answer);
    }
    if (!found)
        throw Fault{RevocationDoubt::other_certificate};
    return *std::move(found);
}

} // namespace

EpochSeconds OcspAnswer::good_until(std::chrono::seconds max_age) const
{
    const auto aged = this_update + max_age;
    return next_update ? std::min(*next_update, aged) : aged;
}

boost::system::result<OcspAnswer, RevocationDoubt>
read_ocsp(ByteView response, const OcspExpectation& expected, EpochSeconds now)
{
    const ossl::ErrorMark mark;
    try {
        const auto basic = basic_response_of(response);
        const auto signer = signer_of(basic.get(), expected.issuer, now);
        verify_signature(basic.get(), signer);
        refuse_critical_extensions(basic.get());
        check_nonce(basic.get(), expected);
        auto answer = answer_about(basic.get(), expected, now);
        if (signer.sha256() != expected.issuer.sha256() &&
            X509_get_ext_by_NID(signer.native(), NID_id_pkix_OCSP_noCheck, -1) < 0)
            answer.responder_to_check = signer;
        return answer;
    } catch (const Fault& fault) {
        return fault.why;
    }
}

void throw_exception_from_error(RevocationDoubt /*why*/,
                                const boost::source_location& /*where*/)
{
    throw Error{Errc::malformed_input, "the revocation answer is refused"};
}

} // namespace cps::x509
