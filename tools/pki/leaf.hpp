#pragma once

#include "pki/certificate.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cps::pki {

/// Everything about one card certificate. `authentication_leaf` and `signature_leaf` give a
/// good one; a test changes what it wants refused and calls `Hierarchy::issue`.
struct LeafSpec {
    std::string name;     ///< what the serial number is drawn from, e.g. "medecin-cps3/auth"
    std::string key_name; ///< what the key is drawn from; empty: `name`
    unsigned key_bits = 2048;
    SigningDigest digest = SigningDigest::sha256;
    bool self_signed = false;
    bool ca = false; ///< BasicConstraints says CA

    std::vector<std::string> common_names; ///< one, but for tests
    std::string surname;
    std::string given_names;
    std::string title; ///< "Médecin"; empty: none
    /// CN, SN and GN as one RDN of three values, as IGC-Santé does; else one RDN each.
    bool one_rdn = true;

    EpochSeconds not_before;
    EpochSeconds not_after;

    std::set<KeyUsage> key_usage;
    std::vector<std::string> extended_key_usage; ///< dotted; empty: no extension
    std::vector<std::string> policies;           ///< dotted; empty: no extension
    std::string principal_name;                  ///< UPN; empty: no SubjectAltName

    std::optional<unsigned> card_type = 0;               ///< TRE_G02: 0 CPS 1 CPF 2 CPE 3 CPA
    std::optional<std::uint8_t> product_category = 0x80; ///< 0x80: test card; 0x03: software
    std::optional<unsigned> profession;                  ///< TRE_G15
    std::string speciality;                              ///< "SM36"; empty: none
    std::string card_number; ///< ten digits, written `8025000001/<digits>`; empty: none

    std::vector<Extension> more;   ///< appended as they are
    std::set<std::string> without; ///< dotted OIDs of extensions to leave out
};

/// Who a fictitious card belongs to.
struct Person {
    std::string id; ///< national identifier: the CN
    std::string surname;
    std::string given_names;
    std::string title;
    unsigned card_type = 0;
    std::optional<unsigned> profession;
    std::string speciality;
    std::string card_number;
};

/// @param name of the card; the leaf is called `<name>/auth` or `<name>/sign`.
LeafSpec authentication_leaf(const std::string& name, const Person& person,
                             EpochSeconds not_before, EpochSeconds not_after);
LeafSpec signature_leaf(const std::string& name, const Person& person, EpochSeconds not_before,
                        EpochSeconds not_after);

/// The spec as a draft under an issuer with that key identifier.
Draft draft_of(const LeafSpec& spec, std::uint64_t seed, ByteView subject_key_id,
               ByteView authority_key_id);

} // namespace cps::pki
