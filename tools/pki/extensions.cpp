#include "pki/extensions.hpp"

#include "pki/der.hpp"

#include "cps/base/error.hpp"

#include <arpa/inet.h>

#include <array>

namespace cps::pki {
namespace {

using namespace der;

constexpr unsigned uri_tag = 6; // GeneralName, RFC 5280, 4.2.1.6
constexpr unsigned dns_tag = 2;
constexpr unsigned ip_tag = 7;

Extension extension(std::string_view oid, Bytes value, bool critical = false)
{
    return {std::string{oid}, critical, std::move(value)};
}

Bytes uri(std::string_view text)
{
    return primitive(uri_tag, octets(text));
}

/// DistributionPoint ::= SEQUENCE { [0] { fullName [0] GeneralNames } }
Bytes distribution_point(std::string_view address)
{
    return der::sequence({constructed(0, constructed(0, uri(address)))});
}

Bytes access(std::string_view method, std::string_view address)
{
    return der::sequence({oid(method), uri(address)});
}

Bytes joined(const std::vector<Bytes>& parts)
{
    Bytes out;
    for (const auto& part : parts)
        out.insert(out.end(), part.begin(), part.end());
    return out;
}

constexpr std::string_view cps_qualifier = "1.3.6.1.5.5.7.2.1";
constexpr std::string_view access_ocsp = "1.3.6.1.5.5.7.48.1";
constexpr std::string_view access_issuers = "1.3.6.1.5.5.7.48.2";
constexpr std::uint8_t boolean_tag = 0x01;
constexpr std::uint8_t der_true = 0xFF;
constexpr std::uint8_t null_tag = 0x05;

} // namespace

Extension basic_constraints_leaf()
{
    return extension(id::basic_constraints, der::sequence({}));
}

Extension basic_constraints_ca(int path_length)
{
    const auto yes = tagged(boolean_tag, Bytes{der_true});
    auto value = path_length < 0
                     ? der::sequence({yes})
                     : der::sequence({yes, integer(static_cast<unsigned>(path_length))});
    return extension(id::basic_constraints, std::move(value), true);
}

Extension key_usage(const std::set<KeyUsage>& usages)
{
    unsigned mask = 0;
    for (const auto usage : usages)
        mask |= 1U << static_cast<unsigned>(usage);
    return extension(id::key_usage, named_bits(mask), true);
}

Extension extended_key_usage(const std::vector<std::string>& purposes)
{
    std::vector<Bytes> parts;
    for (const auto& purpose : purposes)
        parts.push_back(oid(purpose));
    return extension(id::extended_key_usage, der::sequence({joined(parts)}));
}

Extension certificate_policies(const std::vector<std::string>& policies, std::string_view cps)
{
    const auto qualifiers =
        der::sequence({der::sequence({oid(cps_qualifier), ia5_string(cps)})});
    std::vector<Bytes> parts;
    for (const auto& policy : policies)
        parts.push_back(der::sequence({oid(policy), qualifiers}));
    return extension(id::certificate_policies, der::sequence({joined(parts)}));
}

Extension subject_key(ByteView key_id)
{
    return extension(id::subject_key, octet_string(key_id));
}

Extension authority_key(ByteView key_id)
{
    return extension(id::authority_key, der::sequence({primitive(0, key_id)}));
}

Extension private_key_usage_period(EpochSeconds not_before, EpochSeconds not_after)
{
    return extension(id::private_key_usage_period,
                     der::sequence({primitive(0, octets(generalized_time(not_before))),
                                    primitive(1, octets(generalized_time(not_after)))}));
}

Extension crl_distribution_points(const std::vector<std::string>& uris)
{
    std::vector<Bytes> parts;
    for (const auto& address : uris)
        parts.push_back(distribution_point(address));
    return extension(id::crl_distribution_points, der::sequence({joined(parts)}));
}

Extension freshest_crl(const std::string& address)
{
    return extension(id::freshest_crl, der::sequence({distribution_point(address)}));
}

Extension authority_information(std::string_view ocsp_uri, std::string_view issuer_uri)
{
    return extension(
        id::authority_information,
        der::sequence({access(access_ocsp, ocsp_uri), access(access_issuers, issuer_uri)}));
}

Extension user_principal_name(std::string_view name)
{
    Bytes other_name = oid(id::user_principal_name);
    const auto value = constructed(0, utf8_string(name));
    other_name.insert(other_name.end(), value.begin(), value.end());
    return extension(id::subject_alternative_name, der::sequence({constructed(0, other_name)}));
}

Extension host_name(const std::string& host)
{
    std::array<std::uint8_t, 16> address{};
    auto name = primitive(dns_tag, octets(host));
    if (::inet_pton(AF_INET, host.c_str(), address.data()) == 1)
        name = primitive(ip_tag, ByteView{address}.first(4));
    else if (::inet_pton(AF_INET6, host.c_str(), address.data()) == 1)
        name = primitive(ip_tag, address);
    return extension(id::subject_alternative_name, der::sequence({name}));
}

Extension ocsp_no_check()
{
    return extension(id::ocsp_no_check, tagged(null_tag, {}));
}

Extension card_type(unsigned code)
{
    return extension(id::card_type, integer(code));
}
Extension card_number(std::string_view number)
{
    return extension(id::card_number, printable_string(number));
}
Extension product_category(std::uint8_t category)
{
    return extension(id::product_category, octet_string(Bytes{category}));
}
Extension profession(unsigned code)
{
    return extension(id::profession, integer(code));
}
Extension speciality(std::string_view code)
{
    return extension(id::speciality, der::sequence({utf8_string(code)}));
}

} // namespace cps::pki
