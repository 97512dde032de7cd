#include "support/certificates.hpp"

#include "cps/crypto/openssl.hpp"
#include "pki/rsa_key.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

namespace cps::test {
namespace {

constexpr std::uint64_t seed = 11;

pki::KeyPtr key_for(const pki::LeafSpec& spec)
{
    static std::map<std::pair<std::string, unsigned>, pki::KeyPtr> made;
    auto& key = made[{spec.key_name, spec.key_bits}];
    if (!key)
        key = pki::rsa_key(seed, spec.key_name, spec.key_bits);
    return key;
}

x509::Certificate signed_leaf(const pki::LeafSpec& spec, const pki::KeyPtr& key,
                              const pki::Hierarchy& hierarchy)
{
    const auto& issuer = hierarchy.issuing();
    const auto own = pki::key_identifier(key);
    const auto draft = pki::draft_of(spec, seed, own,
                                     spec.self_signed ? own : pki::key_identifier(issuer.key));
    const auto made = pki::sign_certificate(draft, key, spec.self_signed ? nullptr : &issuer);
    return x509::Certificate::from_der(pki::der_of(i2d_X509, made.get())).value();
}

} // namespace

const pki::Hierarchy& test_hierarchy()
{
    static const pki::Hierarchy made{{seed, issue_time, 2048}};
    return made;
}

std::string test_trust()
{
    return pki::certificate_pem(test_hierarchy().issuing().certificate.get());
}

pki::LeafSpec physician()
{
    const auto cards = pki::fictitious_cards();
    const auto card = std::ranges::find(cards, "medecin-cps3", &pki::Card::name);
    auto spec = pki::authentication_leaf(card->name, card->person, issue_time,
                                         pki::years_after(issue_time, pki::leaf_years));
    spec.key_name = "leaf";
    return spec;
}

x509::Certificate issue(const pki::LeafSpec& spec, const pki::Hierarchy& hierarchy)
{
    return signed_leaf(spec, key_for(spec), hierarchy);
}

x509::Certificate issue_for(const pki::LeafSpec& spec, const crypto::PublicKey& key)
{
    return signed_leaf(spec, pki::KeyPtr{key.native(), [key](EVP_PKEY*) {}}, test_hierarchy());
}

pki::Authority hierarchy_card()
{
    const auto spec = physician();
    return {key_for(spec), pki::certificate_from_der(issue(spec).der())};
}

x509::Certificate certificate_named(const std::vector<NameValue>& subject,
                                    const std::vector<pki::Extension>& extensions)
{
    auto spec = physician();
    const auto key = key_for(spec);
    auto draft = pki::draft_of(spec, seed, {}, {});
    draft.extensions = extensions;
    const auto made = pki::sign_certificate(draft, key, nullptr);
    const pki::NamePtr name{X509_NAME_new()};
    for (const auto& value : subject)
        pki::must(X509_NAME_add_entry_by_NID(
            name.get(), value.nid, value.type,
            reinterpret_cast<const unsigned char*>(value.octets.data()),
            static_cast<int>(value.octets.size()), -1, value.joined ? -1 : 0));
    pki::must(X509_set_subject_name(made.get(), name.get()));
    pki::must(X509_sign(made.get(), key.get(), EVP_sha256()));
    return x509::Certificate::from_der(pki::der_of(i2d_X509, made.get())).value();
}

} // namespace cps::test
