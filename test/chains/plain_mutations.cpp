#include "chains/chain.hpp"

namespace cps::chains {
namespace {

using namespace std::chrono_literals;
using Where = Mutation::Where;

} // namespace

void add_plain_mutations(std::vector<Mutation>& to)
{
    const auto add = [&](const char* name, Where where, std::function<void(Node&)> apply) {
        to.push_back({name, where, std::move(apply)});
    };
    add("sound", Where::leaf, [](Node&) {});

    // Dates.
    add("expired", Where::any, [](Node& n) { n.to = -1h; });
    add("expired-long-ago", Where::any, [](Node& n) {
        n.from = -20'000h;
        n.to = -10'000h;
    });
    add("not-yet-valid", Where::any, [](Node& n) { n.from = 1h; });
    add("valid-since-an-hour", Where::any, [](Node& n) { n.from = -1h; });
    add("valid-for-an-hour", Where::any, [](Node& n) { n.to = 1h; });
    add("dates-swapped", Where::any, [](Node& n) { std::swap(n.from, n.to); });
    add("valid-past-2050", Where::any, [](Node& n) { n.to = 40 * 365 * 24h; });

    // Names.
    add("issuer-of-another-name", Where::any, [](Node& n) { n.issuer = "somebody else"; });
    add("empty-subject", Where::any, [](Node& n) { n.name.clear(); });
    add("empty-issuer", Where::leaf, [](Node& n) { n.issuer = ""; });
    add("self-signed", Where::leaf, [](Node& n) { n.self_issued = true; });
    add("issuer-in-capitals", Where::leaf, [](Node& n) {
        for (auto& c : n.issuer.emplace("ca 0"))
            c = static_cast<char>(c == 'c' ? 'C' : c == 'a' ? 'A' : c);
    });

    // Signatures.
    add("tampered", Where::any, [](Node& n) { n.tampered = true; });
    add("signed-by-another-key", Where::any, [](Node& n) { n.signed_by = "stranger"; });
    add("signed-by-the-leaf", Where::any, [](Node& n) { n.signed_by = "leaf"; });
    add("sha1", Where::any, [](Node& n) { n.digest = Digest::sha1; });
    add("md5", Where::any, [](Node& n) { n.digest = Digest::md5; });
    add("sha384", Where::any, [](Node& n) { n.digest = Digest::sha384; });
    add("sha512", Where::any, [](Node& n) { n.digest = Digest::sha512; });
    add("rsa-pss", Where::any, [](Node& n) { n.pss = true; });

    // Keys.
    add("rsa-1024", Where::any, [](Node& n) { n.bits = 1024; });
    add("rsa-3072", Where::any, [](Node& n) { n.bits = 3072; });
    add("rsa-exponent-3", Where::any, [](Node& n) { n.kind = KeyKind::rsa_e3; });
    add("p-256", Where::any, [](Node& n) { n.kind = KeyKind::p256; });
    add("p-384", Where::any, [](Node& n) { n.kind = KeyKind::p384; });
    add("ed25519", Where::any, [](Node& n) { n.kind = KeyKind::ed25519; });

    // Numbers.
    add("version-1", Where::any, [](Node& n) { n.version = 0; });
    add("version-2", Where::any, [](Node& n) { n.version = 1; });
    add("serial-0", Where::any, [](Node& n) { n.serial = "00"; });
    add("serial-negative", Where::any, [](Node& n) { n.negative_serial = true; });
    add("serial-of-20-octets", Where::any, [](Node& n) { n.serial = std::string(40, '7'); });
    add("serial-of-24-octets", Where::any, [](Node& n) { n.serial = std::string(48, '7'); });
}

} // namespace cps::chains
