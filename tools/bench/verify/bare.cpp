#include "bare.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

namespace cps::bench {
namespace {

namespace ossl = crypto::ossl;
using UniqueStoreContext = std::unique_ptr<X509_STORE_CTX, ossl::Deleter<X509_STORE_CTX_free>>;
using UniqueResponse = std::unique_ptr<OCSP_RESPONSE, ossl::Deleter<OCSP_RESPONSE_free>>;
using UniqueBasic = std::unique_ptr<OCSP_BASICRESP, ossl::Deleter<OCSP_BASICRESP_free>>;
using UniqueId = std::unique_ptr<OCSP_CERTID, ossl::Deleter<OCSP_CERTID_free>>;

constexpr std::size_t p256_size = 32; // octets
constexpr long ocsp_leeway = 300;     // seconds, as x509's

void must(bool good)
{
    if (!good)
        throw Error{Errc::internal, "OpenSSL alone refuses what it should accept"};
}

Bytes to_der(ByteView raw)
{
    const ossl::UniqueEcdsaSignature signature{ECDSA_SIG_new()};
    must(ECDSA_SIG_set0(signature.get(), BN_bin2bn(raw.data(), p256_size, nullptr),
                        BN_bin2bn(raw.data() + p256_size, p256_size, nullptr)) == 1);
    unsigned char* der = nullptr;
    const auto size = i2d_ECDSA_SIG(signature.get(), &der);
    const ossl::UniqueOctets owned{der};
    must(size > 0);
    return {der, der + size};
}

} // namespace

BareSignature bare_signature(std::string_view token, EVP_PKEY* key)
{
    const auto dot = token.rfind('.');
    auto signature = from_base64url(token.substr(dot + 1)).value();
    if (EVP_PKEY_is_a(key, "EC") == 1)
        signature = to_der(signature);
    return {key, token.substr(0, dot), std::move(signature)};
}

void verify_bare(const BareSignature& signature)
{
    const ossl::UniqueDigestContext context{EVP_MD_CTX_new()};
    must(context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, signature.key) ==
             1 &&
         EVP_DigestVerify(context.get(), signature.signature.data(), signature.signature.size(),
                          octets(signature.signed_part).data(),
                          signature.signed_part.size()) == 1);
}

BareTrust::BareTrust(std::string_view trust_pem, EpochSeconds now)
    : issuer_{x509::Certificate::from_pem(trust_pem).value().front()},
      now_{static_cast<std::time_t>(to_number(now))},
      cards_{store_for(X509_PURPOSE_SSL_CLIENT)},
      responders_{store_for(X509_PURPOSE_OCSP_HELPER)}
{
}

UniqueStore BareTrust::store_for(int purpose) const
{
    UniqueStore store{X509_STORE_new()};
    must(store && X509_STORE_add_cert(store.get(), issuer_.native()) == 1);
    auto* rules = X509_STORE_get0_param(store.get());
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_purpose(rules, purpose);
    X509_VERIFY_PARAM_set_auth_level(rules, 2);
    X509_VERIFY_PARAM_set_time(rules, now_);
    return store;
}

void BareTrust::check(ByteView certificate_der, ByteView ocsp_response) const
{
    const auto* in = certificate_der.data();
    const ossl::UniqueX509 leaf{
        d2i_X509(nullptr, &in, static_cast<long>(certificate_der.size()))};
    const UniqueStoreContext chain{X509_STORE_CTX_new()};
    must(leaf && chain &&
         X509_STORE_CTX_init(chain.get(), cards_.get(), leaf.get(), nullptr) == 1 &&
         X509_verify_cert(chain.get()) == 1);

    in = ocsp_response.data();
    const UniqueResponse response{
        d2i_OCSP_RESPONSE(nullptr, &in, static_cast<long>(ocsp_response.size()))};
    const UniqueBasic basic{OCSP_response_get1_basic(response.get())};
    const UniqueId id{OCSP_cert_to_id(EVP_sha1(), leaf.get(), issuer_.native())};
    int status = V_OCSP_CERTSTATUS_UNKNOWN;
    int reason = 0;
    ASN1_GENERALIZEDTIME* revoked_at = nullptr;
    ASN1_GENERALIZEDTIME* made = nullptr;
    ASN1_GENERALIZEDTIME* next = nullptr;
    must(basic && id && OCSP_basic_verify(basic.get(), nullptr, responders_.get(), 0) == 1 &&
         OCSP_resp_find_status(basic.get(), id.get(), &status, &reason, &revoked_at, &made,
                               &next) == 1 &&
         status == V_OCSP_CERTSTATUS_GOOD);
    // Not OCSP_check_validity, which looks at the machine's clock.
    auto at = now_ - ocsp_leeway;
    must(next == nullptr || X509_cmp_time(next, &at) == 1);
    at = now_ + ocsp_leeway;
    must(X509_cmp_time(made, &at) == -1);
}

} // namespace cps::bench
