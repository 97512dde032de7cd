#pragma once

#include "cps/x509/certificate.hpp"
#include "pki/cards.hpp"
#include "pki/hierarchy.hpp"

#include <string>
#include <vector>

namespace cps::test {

inline constexpr auto issue_time = epoch_seconds(1'790'000'000); // 2026-09-21

/// One hierarchy for all cases of a program, its CA keys short for speed.
const pki::Hierarchy& test_hierarchy();
/// The PEM of its issuing CA: what a portal pins.
std::string test_trust();

/// The authentication certificate of the fictitious physician, good in every way.
pki::LeafSpec physician();
/// Issues under `hierarchy`. Keys are made once for each `key_name` and size.
x509::Certificate issue(const pki::LeafSpec& spec,
                        const pki::Hierarchy& hierarchy = test_hierarchy());
/// The same for a key of any kind, whose private half need not exist.
x509::Certificate issue_for(const pki::LeafSpec& spec, const crypto::PublicKey& key);

/// The physician's card as if it were a CA: its key, and the certificate that names it.
pki::Authority hierarchy_card();

/// One value of a subject. `type` is OpenSSL's V_ASN1_*; `joined` puts it into the RDN of the
/// value before.
struct NameValue {
    int nid;
    int type;
    std::string octets;
    bool joined = false;
};
/// A certificate with that subject and no extension but `extensions`.
x509::Certificate certificate_named(const std::vector<NameValue>& subject,
                                    const std::vector<pki::Extension>& extensions = {});

} // namespace cps::test
