#include "pki/hierarchy.hpp"

#include "pki/rsa_key.hpp"
#include "pki/seed_stream.hpp"

namespace cps::pki {
namespace {

constexpr std::string_view practice_statement = "http://igc-sante.esante.example/PC%20TEST";
constexpr std::string_view any_policy = "2.5.29.32.0";
constexpr unsigned responder_bits = 2048;
constexpr unsigned tls_bits = 2048;
constexpr auto tls_server_life = std::chrono::days{397}; // what browsers accept at most

// The hierarchy is older than its cards, so that an expired card hangs under it as well.
constexpr int root_years_before = 13;
constexpr int issuing_years_before = 7;
constexpr int authority_years_after = 10;

DistinguishedName authority_name(const std::string& common_name)
{
    return {{{"C", "FR"}},
            {{"O", "CPS-FICTIF"}},
            {{"OU", "0002 000000000"}},
            {{"OU", "IGC-SANTE TEST"}},
            {{"CN", common_name}}};
}

std::set<KeyUsage> authority_usage()
{
    return {KeyUsage::key_certificate_sign, KeyUsage::crl_sign};
}

Authority make_root(const Hierarchy::Settings& settings)
{
    auto key = rsa_key(settings.seed, "root", settings.ca_bits);
    const auto key_id = key_identifier(key);
    const Draft draft{serial_number(settings.seed, "root"),
                      authority_name("TEST AC RACINE IGC-SANTE FORT"),
                      years_after(settings.at, -root_years_before),
                      years_after(settings.at, authority_years_after),
                      {basic_constraints_ca(-1), subject_key(key_id), authority_key(key_id),
                       key_usage(authority_usage())}};
    auto certificate = sign_certificate(draft, key, nullptr);
    return {std::move(key), std::move(certificate)};
}

Authority make_issuing(const Hierarchy::Settings& settings, const Authority& root)
{
    auto key = rsa_key(settings.seed, "issuing", settings.ca_bits);
    const Draft draft{
        serial_number(settings.seed, "issuing"),
        authority_name("TEST AC IGC-SANTE FORT PERSONNES"),
        years_after(settings.at, -issuing_years_before),
        years_after(settings.at, authority_years_after),
        {basic_constraints_ca(0), subject_key(key_identifier(key)),
         authority_key(key_identifier(root.key)), key_usage(authority_usage()),
         certificate_policies({std::string{any_policy}}, practice_statement),
         crl_distribution_points({"http://igc-sante.esante.example/CRL/ACR-FO-TEST.crl"})}};
    auto certificate = sign_certificate(draft, key, &root);
    return {std::move(key), std::move(certificate)};
}

} // namespace

Hierarchy::Hierarchy(const Settings& settings)
    : settings_{settings}, root_{make_root(settings)}, issuing_{make_issuing(settings, root_)}
{
}

Authority Hierarchy::issue(const LeafSpec& spec) const
{
    auto key = rsa_key(settings_.seed, spec.key_name.empty() ? spec.name : spec.key_name,
                       spec.key_bits);
    const auto key_id = key_identifier(key);
    const auto draft = draft_of(spec, settings_.seed, key_id,
                                spec.self_signed ? key_id : key_identifier(issuing_.key));
    auto certificate = sign_certificate(draft, key, spec.self_signed ? nullptr : &issuing_);
    return {std::move(key), std::move(certificate)};
}

Authority Hierarchy::ocsp_responder() const
{
    auto key = rsa_key(settings_.seed, "ocsp", responder_bits);
    const Draft draft{serial_number(settings_.seed, "ocsp"),
                      authority_name("TEST OCSP IGC-SANTE FORT PERSONNES"),
                      settings_.at,
                      years_after(settings_.at, leaf_years),
                      {basic_constraints_leaf(), subject_key(key_identifier(key)),
                       authority_key(key_identifier(issuing_.key)),
                       key_usage({KeyUsage::digital_signature}),
                       extended_key_usage({std::string{id::ocsp_signing}}), ocsp_no_check()}};
    auto certificate = sign_certificate(draft, key, &issuing_);
    return {std::move(key), std::move(certificate)};
}

Authority tls_authority(std::uint64_t seed, EpochSeconds at)
{
    auto key = rsa_key(seed, "tls-ca", tls_bits);
    const auto key_id = key_identifier(key);
    const Draft draft{serial_number(seed, "tls-ca"),
                      {{{"C", "FR"}}, {{"O", "CPS-FICTIF"}}, {{"CN", "TEST AC TLS"}}},
                      at,
                      years_after(at, authority_years_after),
                      {basic_constraints_ca(0), subject_key(key_id), authority_key(key_id),
                       key_usage(authority_usage())}};
    auto certificate = sign_certificate(draft, key, nullptr);
    return {std::move(key), std::move(certificate)};
}

Authority tls_server(const Authority& authority, std::uint64_t seed, EpochSeconds at,
                     const std::string& host)
{
    auto key = rsa_key(seed, "tls/" + host, tls_bits);
    const Draft draft{serial_number(seed, "tls/" + host),
                      {{{"CN", host}}},
                      at,
                      at + tls_server_life,
                      {basic_constraints_leaf(), subject_key(key_identifier(key)),
                       authority_key(key_identifier(authority.key)),
                       key_usage({KeyUsage::digital_signature, KeyUsage::key_encipherment}),
                       extended_key_usage({std::string{id::server_authentication}}),
                       host_name(host)}};
    auto certificate = sign_certificate(draft, key, &authority);
    return {std::move(key), std::move(certificate)};
}

} // namespace cps::pki
