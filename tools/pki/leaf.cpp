#include "pki/leaf.hpp"

#include "pki/seed_stream.hpp"

namespace cps::pki {
namespace {

// The addresses of IGC-Santé's test certificates with `gouv.fr` turned into `example`
// (RFC 2606), which is as long: sizes stay true and nothing real is ever asked.
constexpr std::string_view practice_statement = "http://igc-sante.esante.example/PC%20TEST";
constexpr std::string_view ocsp_uri = "http://ocsp.esante.example";
constexpr std::string_view issuer_uri =
    "http://igc-sante.esante.example/AC%20TEST/ACI-FO-PP-TEST.cer";
constexpr std::string_view crl_uri = "http://igc-sante.esante.example/CRL/ACI-FO-PP-TEST.crl";
constexpr std::string_view directory_entry =
    "ldap://annuaire-igc.esante.example/cn=TEST%20AC%20IGC-SANTE%20FORT%20PERSONNES,"
    "ou=TEST%20AC%20RACINE%20IGC-SANTE%20FORT,ou=IGC-SANTE%20TEST,ou=0002%20000000000,"
    "o=CPS-FICTIF,c=FR";
constexpr std::string_view base_crl = "?certificaterevocationlist;binary";
constexpr std::string_view delta_crl = "?deltarevocationlist;binary";
constexpr std::string_view search_scope = "?base?objectClass=pkiCA";
constexpr std::string_view card_issuer = "8025000001"; // ISO/IEC 7812: health, France, ANS

std::string text(std::initializer_list<std::string_view> parts)
{
    std::string out;
    for (const auto part : parts)
        out += part;
    return out;
}

DistinguishedName subject_of(const LeafSpec& spec)
{
    DistinguishedName name{{{"C", "FR"}}};
    if (!spec.title.empty())
        name.push_back({{"title", spec.title}});

    std::vector<Attribute> person;
    for (const auto& common_name : spec.common_names)
        person.push_back({"CN", common_name});
    if (!spec.surname.empty())
        person.push_back({"SN", spec.surname});
    if (!spec.given_names.empty())
        person.push_back({"GN", spec.given_names});
    if (spec.one_rdn)
        name.push_back(person);
    else
        for (const auto& attribute : person)
            name.push_back({attribute});
    return name;
}

std::vector<Extension> private_extensions(const LeafSpec& spec)
{
    std::vector<Extension> out;
    if (spec.product_category)
        out.push_back(product_category(*spec.product_category));
    if (spec.card_type)
        out.push_back(card_type(*spec.card_type));
    if (!spec.card_number.empty())
        out.push_back(card_number(text({card_issuer, "/", spec.card_number})));
    if (spec.profession)
        out.push_back(profession(*spec.profession));
    if (!spec.speciality.empty())
        out.push_back(speciality(spec.speciality));
    return out;
}

/// `00B1058110` becomes `0.0B1058110@…`, as the published CPS2ter certificate shows.
std::string principal_name_of(const std::string& id)
{
    return text({id.substr(0, 1), ".", id.substr(1), "@carte-cps.example"});
}

LeafSpec leaf(const std::string& name, const Person& person, EpochSeconds not_before,
              EpochSeconds not_after)
{
    LeafSpec spec;
    spec.name = name;
    spec.common_names = {person.id};
    spec.surname = person.surname;
    spec.given_names = person.given_names;
    spec.title = person.title;
    spec.not_before = not_before;
    spec.not_after = not_after;
    spec.card_type = person.card_type;
    spec.profession = person.profession;
    spec.speciality = person.speciality;
    spec.card_number = person.card_number;
    return spec;
}

} // namespace

LeafSpec authentication_leaf(const std::string& name, const Person& person,
                             EpochSeconds not_before, EpochSeconds not_after)
{
    auto spec = leaf(name + "/auth", person, not_before, not_after);
    spec.key_usage = {KeyUsage::digital_signature};
    spec.extended_key_usage = {std::string{id::client_authentication},
                               std::string{id::smart_card_logon}};
    spec.policies = {std::string{id::authentication_policy}};
    spec.principal_name = principal_name_of(person.id);
    return spec;
}

LeafSpec signature_leaf(const std::string& name, const Person& person, EpochSeconds not_before,
                        EpochSeconds not_after)
{
    auto spec = leaf(name + "/sign", person, not_before, not_after);
    spec.key_usage = {KeyUsage::non_repudiation};
    spec.extended_key_usage = {std::string{id::email_protection}};
    spec.policies = {std::string{id::signature_policy}};
    return spec;
}

Draft draft_of(const LeafSpec& spec, std::uint64_t seed, ByteView subject_key_id,
               ByteView authority_key_id)
{
    // The authentication certificate says more elsewhere; both stay near 2,200 octets.
    const auto scope = spec.principal_name.empty() ? search_scope : std::string_view{};

    std::vector<Extension> wanted{
        spec.ca ? basic_constraints_ca(-1) : basic_constraints_leaf(),
        subject_key(subject_key_id),
        authority_key(authority_key_id),
        key_usage(spec.key_usage),
    };
    if (!spec.policies.empty())
        wanted.push_back(certificate_policies(spec.policies, practice_statement));
    if (!spec.extended_key_usage.empty())
        wanted.push_back(extended_key_usage(spec.extended_key_usage));
    if (!spec.principal_name.empty())
        wanted.push_back(user_principal_name(spec.principal_name));
    wanted.push_back(private_key_usage_period(spec.not_before, spec.not_after));
    wanted.push_back(crl_distribution_points(
        {std::string{crl_uri}, text({directory_entry, base_crl, scope})}));
    wanted.push_back(freshest_crl(text({directory_entry, delta_crl, scope})));
    wanted.push_back(authority_information(ocsp_uri, issuer_uri));
    for (auto& extension : private_extensions(spec))
        wanted.push_back(std::move(extension));
    wanted.insert(wanted.end(), spec.more.begin(), spec.more.end());
    std::erase_if(wanted, [&](const Extension& e) { return spec.without.contains(e.oid); });

    return {serial_number(seed, spec.name),
            subject_of(spec),
            spec.not_before,
            spec.not_after,
            std::move(wanted),
            spec.digest};
}

} // namespace cps::pki
