#include "chains/chain.hpp"

#include "cps/base/encoding.hpp"
#include "pki/der.hpp"

namespace cps::chains {
namespace {

using Where = Mutation::Where;
using pki::KeyUsage;
namespace der = pki::der;
namespace id = pki::id;

constexpr const char* any_purpose = "2.5.29.37.0";
constexpr const char* policy_constraints = "2.5.29.36";
constexpr const char* inhibit_any_policy = "2.5.29.54";
constexpr const char* policy_mappings = "2.5.29.33";

/// Everything that writes one extension, or leaves one out.
class Table {
public:
    explicit Table(std::vector<Mutation>& to) noexcept : to_{to} {}

    void set(const char* name, Where where, pki::Extension extension)
    {
        to_.push_back({name, where, [extension](Node& n) { n.set(extension); }});
    }
    void drop(const char* name, Where where, std::string_view oid)
    {
        to_.push_back({name, where, [oid](Node& n) { n.drop(oid); }});
    }
    /// The extension as it is, critical or not.
    void mark(const char* name, Where where, std::string_view oid, bool critical)
    {
        to_.push_back({name, where, [oid, critical](Node& n) {
                           for (auto& each : n.extensions)
                               if (each.oid == oid)
                                   each.critical = critical;
                       }});
    }
    void twice(const char* name, Where where, std::string_view oid)
    {
        to_.push_back({name, where, [oid](Node& n) {
                           for (const auto& each : n.extensions)
                               if (each.oid == oid) {
                                   auto copy = each;
                                   n.extensions.push_back(std::move(copy));
                                   return;
                               }
                       }});
    }

private:
    std::vector<Mutation>& to_;
};

pki::Extension usage(const std::set<KeyUsage>& usages, bool critical = true)
{
    auto made = pki::key_usage(usages);
    made.critical = critical;
    return made;
}

pki::Extension purposes(const std::vector<std::string>& oids, bool critical = false)
{
    auto made = pki::extended_key_usage(oids);
    made.critical = critical;
    return made;
}

pki::Extension raw(std::string_view oid, const char* hex, bool critical = false)
{
    return {std::string{oid}, critical, from_hex(hex).value()};
}

/// NameConstraints (RFC 5280, 4.2.1.10) on directory names. @param tag 0 permits, 1 excludes.
pki::Extension name_constraint(unsigned tag, const pki::DistinguishedName& name)
{
    const auto directory_name =
        der::constructed(4, pki::der_of(i2d_X509_NAME, pki::to_openssl(name).get()));
    return {"2.5.29.30", true,
            der::sequence({der::constructed(tag, der::sequence({directory_name}))})};
}

void add_constraints(Table& table)
{
    constexpr auto bc = id::basic_constraints;
    table.drop("no-basic-constraints", Where::any, bc);
    table.set("says-it-is-no-ca", Where::authority, pki::basic_constraints_leaf());
    table.set("says-it-is-a-ca", Where::leaf, pki::basic_constraints_ca(-1));
    table.mark("basic-constraints-not-critical", Where::authority, bc, false);
    table.mark("basic-constraints-critical", Where::leaf, bc, true);
    table.set("path-length-0", Where::authority, pki::basic_constraints_ca(0));
    table.set("path-length-1", Where::authority, pki::basic_constraints_ca(1));
    table.set("path-length-without-ca", Where::leaf, raw(bc, "30 03 02 01 00"));
    table.set("path-length-negative", Where::authority, raw(bc, "30 06 0101FF 0201FF", true));
    table.set("basic-constraints-broken", Where::any, raw(bc, "30 03 0101", true));
    table.twice("basic-constraints-twice", Where::any, bc);

    const pki::DistinguishedName ours{{{"C", "FR"}}, {{"O", "CPS-FICTIF"}}};
    const pki::DistinguishedName others{{{"C", "BE"}}};
    table.set("permits-our-names", Where::authority, name_constraint(0, ours));
    table.set("permits-other-names", Where::authority, name_constraint(0, others));
    table.set("excludes-our-names", Where::authority, name_constraint(1, ours));
    table.set("excludes-other-names", Where::authority, name_constraint(1, others));
    table.set("name-constraints-in-a-leaf", Where::leaf, name_constraint(0, ours));
    table.set("name-constraints-broken", Where::authority, raw("2.5.29.30", "3000", true));
}

void add_usages(Table& table)
{
    constexpr auto ku = id::key_usage;
    constexpr auto eku = id::extended_key_usage;
    const std::string client{id::client_authentication};
    const std::string server{id::server_authentication};
    const std::string mail{id::email_protection};
    table.drop("no-key-usage", Where::any, ku);
    table.mark("key-usage-not-critical", Where::any, ku, false);
    table.set("ca-without-certificate-sign", Where::authority, usage({KeyUsage::crl_sign}));
    table.set("ca-for-signatures", Where::authority, usage({KeyUsage::digital_signature}));
    table.set("leaf-for-non-repudiation", Where::leaf, usage({KeyUsage::non_repudiation}));
    table.set("leaf-for-encipherment", Where::leaf, usage({KeyUsage::key_encipherment}));
    table.set("leaf-for-both-signatures", Where::leaf,
              usage({KeyUsage::digital_signature, KeyUsage::non_repudiation}));
    table.set("leaf-for-certificates", Where::leaf,
              usage({KeyUsage::digital_signature, KeyUsage::key_certificate_sign}));
    table.set("key-usage-empty", Where::any, raw(ku, "03 01 00", true));
    table.set("key-usage-broken", Where::any, raw(ku, "04 01 00", true));
    table.twice("key-usage-twice", Where::any, ku);

    table.drop("no-purpose", Where::leaf, eku);
    table.set("purpose-mail", Where::leaf, purposes({mail}));
    table.set("purpose-server", Where::leaf, purposes({server}));
    table.set("purpose-any", Where::leaf, purposes({any_purpose}));
    table.set("purpose-any-and-client", Where::leaf, purposes({any_purpose, client}));
    table.set("purpose-client-critical", Where::leaf, purposes({client}, true));
    table.set("purpose-any-critical", Where::leaf, purposes({any_purpose}, true));
    table.set("purpose-empty", Where::leaf, raw(eku, "30 00"));
    table.set("purpose-broken", Where::any, raw(eku, "30 02 06"));
    table.set("ca-purpose-client", Where::authority, purposes({client}));
    table.set("ca-purpose-server", Where::authority, purposes({server}));
    table.set("ca-purpose-any", Where::authority, purposes({any_purpose}));
}

void add_policies(Table& table)
{
    constexpr auto pc = "http://pc.example";
    const std::string ours{id::authentication_policy};
    const std::string other{id::signature_policy};
    const std::string any = "2.5.29.32.0";
    table.drop("no-policy", Where::leaf, id::certificate_policies);
    table.set("policy-other", Where::leaf, pki::certificate_policies({other}, pc));
    table.set("policy-any", Where::leaf, pki::certificate_policies({any}, pc));
    table.set("policy-two", Where::leaf, pki::certificate_policies({other, ours}, pc));
    table.set("policy-twice", Where::leaf, pki::certificate_policies({ours, ours}, pc));
    table.set("policy-broken", Where::leaf, raw(id::certificate_policies, "30 02 06"));
    table.mark("policy-critical", Where::leaf, id::certificate_policies, true);
    table.set("ca-policy-ours", Where::authority, pki::certificate_policies({ours}, pc));
    table.set("ca-policy-any", Where::authority, pki::certificate_policies({any}, pc));
    table.set("ca-policy-other", Where::authority, pki::certificate_policies({other}, pc));
    table.set("explicit-policy-0", Where::authority,
              raw(policy_constraints, "30 03 80 01 00", true));
    table.set("inhibit-any-policy-0", Where::authority,
              raw(inhibit_any_policy, "02 01 00", true));
    table.set("policy-mappings-broken", Where::authority, raw(policy_mappings, "30 00", true));
}

} // namespace

void add_extension_mutations(std::vector<Mutation>& to)
{
    Table table{to};
    add_constraints(table);
    add_usages(table);
    add_policies(table);

    constexpr auto unknown = "1.2.250.1.71.9.9.9";
    table.set("unknown-critical", Where::any, raw(unknown, "05 00", true));
    table.set("unknown-not-critical", Where::any, raw(unknown, "05 00"));
    to.push_back({"unknown-twice", Where::any, [](Node& n) {
                      n.extensions.push_back(raw(unknown, "05 00"));
                      n.extensions.push_back(raw(unknown, "05 00"));
                  }});
    to.push_back({"no-extensions", Where::any, [](Node& n) { n.extensions.clear(); }});

    table.drop("no-authority-key", Where::any, id::authority_key);
    table.drop("no-subject-key", Where::any, id::subject_key);
    table.set("authority-key-of-another", Where::any,
              pki::authority_key(Bytes(20, std::uint8_t{0x55})));
    table.set("subject-key-of-another", Where::any,
              pki::subject_key(Bytes(20, std::uint8_t{0x55})));
    table.mark("authority-key-critical", Where::any, id::authority_key, true);
    table.mark("subject-key-critical", Where::any, id::subject_key, true);
    table.set("alternative-names-empty", Where::leaf,
              raw(id::subject_alternative_name, "30 00"));
    table.set("distribution-points-broken", Where::leaf,
              raw(id::crl_distribution_points, "30 02 06"));
}

} // namespace cps::chains
