#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/clock.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cps::pki {

/// Dotted object identifiers of what we write; ANS's arc is 1.2.250.1.71.
namespace id {
inline constexpr std::string_view subject_key = "2.5.29.14";
inline constexpr std::string_view key_usage = "2.5.29.15";
inline constexpr std::string_view private_key_usage_period = "2.5.29.16";
inline constexpr std::string_view subject_alternative_name = "2.5.29.17";
inline constexpr std::string_view basic_constraints = "2.5.29.19";
inline constexpr std::string_view crl_distribution_points = "2.5.29.31";
inline constexpr std::string_view certificate_policies = "2.5.29.32";
inline constexpr std::string_view authority_key = "2.5.29.35";
inline constexpr std::string_view extended_key_usage = "2.5.29.37";
inline constexpr std::string_view freshest_crl = "2.5.29.46";
inline constexpr std::string_view authority_information = "1.3.6.1.5.5.7.1.1";
inline constexpr std::string_view ocsp_no_check = "1.3.6.1.5.5.7.48.1.5";

inline constexpr std::string_view server_authentication = "1.3.6.1.5.5.7.3.1";
inline constexpr std::string_view client_authentication = "1.3.6.1.5.5.7.3.2";
inline constexpr std::string_view email_protection = "1.3.6.1.5.5.7.3.4";
inline constexpr std::string_view ocsp_signing = "1.3.6.1.5.5.7.3.9";
inline constexpr std::string_view smart_card_logon = "1.3.6.1.4.1.311.20.2.2";
inline constexpr std::string_view user_principal_name = "1.3.6.1.4.1.311.20.2.3";

inline constexpr std::string_view card_type = "1.2.250.1.71.1.2.2";
inline constexpr std::string_view card_number = "1.2.250.1.71.1.2.3";
inline constexpr std::string_view product_category = "1.2.250.1.71.1.2.5";
inline constexpr std::string_view profession = "1.2.250.1.71.1.2.7";
inline constexpr std::string_view speciality = "1.2.250.1.71.4.2.5";

/// IGC-Santé's signature policy as a published test certificate shows it; the authentication
/// one is its neighbour by our own guess (no such certificate is published).
inline constexpr std::string_view signature_policy = "1.2.250.1.213.1.7.2.1.1.1.1";
inline constexpr std::string_view authentication_policy = "1.2.250.1.213.1.7.2.1.1.1.2";
} // namespace id

/// An X.509 extension (RFC 5280, 4.1.2.9) before it is signed.
struct Extension {
    std::string oid;
    bool critical = false;
    Bytes value; ///< the DER inside the OCTET STRING
};

/// RFC 5280, 4.2.1.3; the numbers are the named bits.
enum class KeyUsage : unsigned {
    digital_signature = 0,
    non_repudiation = 1,
    key_encipherment = 2,
    key_certificate_sign = 5,
    crl_sign = 6,
};

Extension basic_constraints_leaf();
/// @param path_length below 0: no limit.
Extension basic_constraints_ca(int path_length);
Extension key_usage(const std::set<KeyUsage>& usages);
Extension extended_key_usage(const std::vector<std::string>& purposes);
/// Each policy with a CPS pointer (RFC 5280, 4.2.1.4).
Extension certificate_policies(const std::vector<std::string>& policies, std::string_view cps);
/// @param key_id SHA-1 of the subject's public key, RFC 5280, 4.2.1.2 (1).
Extension subject_key(ByteView key_id);
Extension authority_key(ByteView key_id);
Extension private_key_usage_period(EpochSeconds not_before, EpochSeconds not_after);
Extension crl_distribution_points(const std::vector<std::string>& uris);
Extension freshest_crl(const std::string& uri);
Extension authority_information(std::string_view ocsp_uri, std::string_view issuer_uri);
/// SubjectAltName with Microsoft's user principal name, `0.0B1058110@carte-cps.fr` alike.
Extension user_principal_name(std::string_view name);
/// SubjectAltName with one host: a dNSName, or an iPAddress for a numeric address.
Extension host_name(const std::string& host);
Extension ocsp_no_check();

/// ANS's private extensions, with the types that its published test certificates have.
Extension card_type(unsigned code);                // INTEGER, TRE_G02
Extension card_number(std::string_view number);    // PrintableString
Extension product_category(std::uint8_t category); // OCTET STRING, one octet
Extension profession(unsigned code);               // INTEGER, TRE_G15
Extension speciality(std::string_view code);       // SEQUENCE OF UTF8String

} // namespace cps::pki
