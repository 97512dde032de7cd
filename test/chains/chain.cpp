#include "chains/chain.hpp"

#include "cps/base/encoding.hpp"
#include "pki/rsa_key.hpp"

#include <openssl/rsa.h>

#include <algorithm>
#include <map>

namespace cps::chains {
namespace {

using namespace std::chrono_literals;
using pki::FreeWith;
using pki::must;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>>;

constexpr std::uint64_t seed = 41;
constexpr auto year = 365 * 24h;

pki::KeyPtr make_key(const std::string& name, KeyKind kind, unsigned bits)
{
    switch (kind) {
    case KeyKind::rsa: return pki::rsa_key(seed, name, bits);
    case KeyKind::rsa_e3: {
        const std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>> context{
            must(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr))};
        const pki::BignumPtr three{must(BN_new())};
        must(BN_set_word(three.get(), 3));
        must(EVP_PKEY_keygen_init(context.get()));
        must(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)));
        must(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), three.get()));
        EVP_PKEY* key = nullptr;
        must(EVP_PKEY_generate(context.get(), &key));
        return {key, EVP_PKEY_free};
    }
    case KeyKind::p256: return {must(EVP_EC_gen("P-256")), EVP_PKEY_free};
    case KeyKind::p384: return {must(EVP_EC_gen("P-384")), EVP_PKEY_free};
    case KeyKind::ed25519: break;
    }
    return {must(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), EVP_PKEY_free};
}

/// Made once for each program.
pki::KeyPtr key_of(const std::string& name, KeyKind kind = KeyKind::rsa, unsigned bits = 2048)
{
    static std::map<std::tuple<std::string, KeyKind, unsigned>, pki::KeyPtr> made;
    auto& key = made[{name, kind, bits}];
    if (!key)
        key = make_key(name, kind, bits);
    return key;
}

pki::NamePtr name_of(const std::string& common_name)
{
    if (common_name.empty())
        return pki::NamePtr{must(X509_NAME_new())};
    return pki::to_openssl({{{"C", "FR"}}, {{"O", "CPS-FICTIF"}}, {{"CN", common_name}}});
}

const EVP_MD* digest_of(const Node& node, EVP_PKEY* signer)
{
    if (EVP_PKEY_is_a(signer, "ED25519") == 1)
        return nullptr;
    switch (node.digest) {
    case Digest::sha256: return EVP_sha256();
    case Digest::sha384: return EVP_sha384();
    case Digest::sha512: return EVP_sha512();
    case Digest::sha1: return EVP_sha1();
    case Digest::md5: break;
    }
    return EVP_md5();
}

void add_extension(X509* certificate, const pki::Extension& extension)
{
    const pki::ObjectPtr oid{must(OBJ_txt2obj(extension.oid.c_str(), 1))};
    const OctetsPtr value{must(ASN1_OCTET_STRING_new())};
    must(ASN1_OCTET_STRING_set(value.get(), extension.value.data(),
                               static_cast<int>(extension.value.size())));
    const ExtensionPtr made{must(X509_EXTENSION_create_by_OBJ(
        nullptr, oid.get(), extension.critical ? 1 : 0, value.get()))};
    must(X509_add_ext(certificate, made.get(), -1));
}

void set_serial(X509* certificate, const Node& node)
{
    const auto octets = from_hex(node.serial).value();
    const pki::BignumPtr number{
        must(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr))};
    BN_set_negative(number.get(), static_cast<int>(node.negative_serial));
    const IntegerPtr integer{must(BN_to_ASN1_INTEGER(number.get(), nullptr))};
    must(X509_set_serialNumber(certificate, integer.get()));
}

void put_signature(X509* certificate, const Node& node, EVP_PKEY* signer)
{
    const std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>> context{
        must(EVP_MD_CTX_new())};
    EVP_PKEY_CTX* parameters = nullptr; // the context's own
    must(EVP_DigestSignInit(context.get(), &parameters, digest_of(node, signer), nullptr,
                            signer));
    if (node.pss) {
        must(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING));
        must(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST));
    }
    must(X509_sign_ctx(certificate, context.get()));
}

Bytes certificate_of(const Node& node, const Node& issuer, EpochSeconds at)
{
    const auto key = key_of(node.key, node.kind, node.bits);
    const auto signer =
        node.signed_by ? key_of(*node.signed_by) : key_of(issuer.key, issuer.kind, issuer.bits);
    const pki::CertificatePtr certificate{must(X509_new())};
    must(X509_set_version(certificate.get(), node.version));
    set_serial(certificate.get(), node);
    must(X509_set_subject_name(certificate.get(), name_of(node.name).get()));
    must(X509_set_issuer_name(certificate.get(),
                              name_of(node.issuer.value_or(issuer.name)).get()));
    must(X509_set1_notBefore(certificate.get(), pki::to_openssl(at + node.from).get()));
    must(X509_set1_notAfter(certificate.get(), pki::to_openssl(at + node.to).get()));
    must(X509_set_pubkey(certificate.get(), key.get()));
    if (node.version == 2)
        for (auto extension : node.extensions) {
            // Filled in now, when the keys are known.
            if (extension.oid == pki::id::subject_key && extension.value.empty())
                extension.value = pki::subject_key(pki::key_identifier(key)).value;
            if (extension.oid == pki::id::authority_key && extension.value.empty())
                extension.value =
                    pki::authority_key(
                        pki::key_identifier(key_of(issuer.key, issuer.kind, issuer.bits)))
                        .value;
            add_extension(certificate.get(), extension);
        }
    put_signature(certificate.get(), node, signer.get());
    auto der = pki::der_of(i2d_X509, certificate.get());
    if (node.tampered)
        der.back() ^= 1;
    return der;
}

Node authority(const std::string& name, int path_length)
{
    Node node;
    node.key = node.name = name;
    node.from = -5 * year;
    node.to = 10 * year;
    node.extensions = {
        pki::basic_constraints_ca(path_length),
        pki::key_usage({pki::KeyUsage::key_certificate_sign, pki::KeyUsage::crl_sign}),
        {std::string{pki::id::subject_key}, false, {}},
        {std::string{pki::id::authority_key}, false, {}},
    };
    return node;
}

} // namespace

void Node::set(pki::Extension extension)
{
    const auto place = std::ranges::find(extensions, extension.oid, &pki::Extension::oid);
    if (place == extensions.end())
        extensions.push_back(std::move(extension));
    else
        *place = std::move(extension);
}

void Node::drop(std::string_view oid)
{
    std::erase_if(extensions, [&](const pki::Extension& each) { return each.oid == oid; });
}

Chain sound_chain(std::size_t length)
{
    Chain chain;
    for (std::size_t i = 0; i + 1 < length; ++i)
        chain.push_back(authority("CA " + std::to_string(i), -1));
    Node leaf;
    leaf.key = "leaf";
    leaf.name = "899700367917";
    leaf.from = -24h;
    leaf.to = 3 * year;
    leaf.extensions = {
        pki::basic_constraints_leaf(),
        pki::key_usage({pki::KeyUsage::digital_signature}),
        pki::extended_key_usage({std::string{pki::id::client_authentication},
                                 std::string{pki::id::smart_card_logon}}),
        pki::certificate_policies({std::string{pki::id::authentication_policy}},
                                  "http://pc.example"),
        {std::string{pki::id::subject_key}, false, {}},
        {std::string{pki::id::authority_key}, false, {}},
    };
    chain.push_back(std::move(leaf));
    return chain;
}

std::vector<Bytes> sign(const Chain& chain, EpochSeconds at)
{
    std::vector<Bytes> signed_chain;
    for (std::size_t i = 0; i != chain.size(); ++i)
        signed_chain.push_back(certificate_of(
            chain[i], i == 0 || chain[i].self_issued ? chain[i] : chain[i - 1], at));
    return signed_chain;
}

const std::vector<Mutation>& mutations()
{
    static const auto all = [] {
        std::vector<Mutation> made;
        add_plain_mutations(made);
        add_extension_mutations(made);
        return made;
    }();
    return all;
}

} // namespace cps::chains
