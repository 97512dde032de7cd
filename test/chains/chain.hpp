#pragma once

#include "cps/x509/certificate.hpp"
#include "pki/certificate.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// Certification paths, sound and broken in one place each, for comparing verifiers.
namespace cps::chains {

enum class Digest { sha256, sha384, sha512, sha1, md5 };
enum class KeyKind { rsa, rsa_e3, p256, p384, ed25519 };

/// One certificate before it is signed.
struct Node {
    std::string key; ///< what its key is called
    KeyKind kind = KeyKind::rsa;
    unsigned bits = 2048;
    std::string name;                     ///< subject CN; empty: an empty subject
    std::optional<std::string> issuer;    ///< another name than the issuer's own
    std::optional<std::string> signed_by; ///< another key than the issuer's own
    std::chrono::seconds from{}, to{};    ///< from the time of the comparison
    std::vector<pki::Extension> extensions;
    Digest digest = Digest::sha256;
    bool pss = false;
    long version = 2; ///< as encoded: 2 is v3
    std::string serial = "4D55";
    bool negative_serial = false;
    bool tampered = false; ///< one bit of the signature
    bool self_issued = false;

    /// Puts `extension` in the place of the one with its OID, or at the end.
    void set(pki::Extension extension);
    void drop(std::string_view oid);
};

/// From the root (first) to the leaf (last).
using Chain = std::vector<Node>;

/// root, CAs and leaf, all good. @param length of the path, 2 to 4.
Chain sound_chain(std::size_t length);

/// Certificates in the chain's order, DER.
std::vector<Bytes> sign(const Chain& chain, EpochSeconds at);

/// A change to one certificate of a chain.
struct Mutation {
    std::string name;
    enum class Where { leaf, authority, any } where;
    std::function<void(Node&)> apply;
};
const std::vector<Mutation>& mutations();
/// The same where names, dates and signatures are concerned; mutations() joins all of them.
void add_plain_mutations(std::vector<Mutation>& to);
void add_extension_mutations(std::vector<Mutation>& to);

} // namespace cps::chains
