#include "fuzz/authority.hpp"

#include "cps/base/encoding.hpp"
#include "pki/cards.hpp"
#include "pki/der.hpp"
#include "pki/leaf.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <memory>

namespace cps::fuzz {
namespace {

using pki::FreeWith;
using pki::must;
namespace der = pki::der;

/// P-256 with the private key 1, whose public key is the curve's base point (SEC 2, 2.4.2).
pki::KeyPtr known_key()
{
    const auto point =
        from_hex("04"
                 "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
                 "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5");
    const pki::BignumPtr one{must(BN_new())};
    must(BN_one(one.get()));
    const std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>> parts{
        must(OSSL_PARAM_BLD_new())};
    must(OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0));
    must(OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point->data(),
                                          point->size()));
    must(OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_PRIV_KEY, one.get()));
    const std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>> parameters{
        must(OSSL_PARAM_BLD_to_param(parts.get()))};
    const std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>> context{
        must(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr))};
    must(EVP_PKEY_fromdata_init(context.get()));
    EVP_PKEY* key = nullptr;
    must(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()));
    return {key, EVP_PKEY_free};
}

const pki::Authority& maker()
{
    static const auto made = [] {
        auto key = known_key();
        const pki::Draft draft{
            {0x01},
            {{{"CN", "F"}}},
            authority_time,
            authority_time + std::chrono::days{3650},
            {pki::basic_constraints_ca(0), pki::subject_key(pki::key_identifier(key)),
             pki::key_usage({pki::KeyUsage::key_certificate_sign, pki::KeyUsage::crl_sign})}};
        auto certificate = pki::sign_certificate(draft, key, nullptr);
        return pki::Authority{std::move(key), std::move(certificate)};
    }();
    return made;
}

Bytes signature_over(ByteView data)
{
    const std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>> context{
        must(EVP_MD_CTX_new())};
    must(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, maker().key.get()));
    Bytes signature(80); // 72 at most
    auto size = signature.size();
    must(EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()));
    signature.resize(size);
    signature.insert(signature.begin(), 0); // no unused bits
    return signature;
}

/// SEQUENCE of the signed part, AlgorithmIdentifier and signature.
Bytes signed_around(ByteView tbs)
{
    return der::sequence({copy_of(tbs), der::sequence({der::oid("1.2.840.10045.4.3.2")}),
                          der::tagged(0x03, signature_over(tbs))});
}

} // namespace

const x509::Certificate& authority()
{
    static const auto read = x509::Certificate::from_der(maker().der()).value();
    return read;
}

const x509::Certificate& card()
{
    static const auto made = [] {
        const auto spec =
            pki::authentication_leaf("medecin-cps3", pki::fictitious_cards().front().person,
                                     authority_time, authority_time + std::chrono::days{1000});
        const auto key_id = pki::key_identifier(maker().key);
        const auto certificate = pki::sign_certificate(pki::draft_of(spec, 1, key_id, key_id),
                                                       maker().key, &maker());
        return x509::Certificate::from_der(pki::der_of(i2d_X509, certificate.get())).value();
    }();
    return made;
}

Bytes crl_around(ByteView tbs)
{
    return signed_around(tbs);
}

Bytes ocsp_around(ByteView tbs)
{
    return der::sequence(
        {der::tagged(0x0A, Bytes{0}), // successful
         der::constructed(0, der::sequence({der::oid("1.3.6.1.5.5.7.48.1.1"),
                                            der::octet_string(signed_around(tbs))}))});
}

} // namespace cps::fuzz
