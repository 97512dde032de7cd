// Writes certification paths for other verifiers to judge, and how cps judges each:
//   chain-forge FOLDER EPOCH  ->  FOLDER/<case>.{leaf,anchors}.pem, FOLDER/verdicts
#include "chains/chain.hpp"

#include "cps/x509/trust.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace {

using namespace cps;
using chains::Mutation;
namespace fs = std::filesystem;

std::string_view name_of(x509::ChainFault fault)
{
    switch (fault) {
    case x509::ChainFault::untrusted: return "untrusted";
    case x509::ChainFault::expired: return "expired";
    case x509::ChainFault::not_yet_valid: return "not_yet_valid";
    case x509::ChainFault::usage: return "usage";
    case x509::ChainFault::policy: return "policy";
    case x509::ChainFault::weak: break;
    }
    return "weak";
}

std::string_view judge(const Bytes& leaf, const std::string& anchors, EpochSeconds at)
{
    const auto trust = x509::TrustStore::from_pem(anchors);
    if (!trust)
        return "anchors_refused"; // at the start of the program, not when a card comes
    const auto certificate = x509::Certificate::from_der(leaf);
    if (!certificate)
        return "unreadable";
    const auto fault =
        trust->check(*certificate, at, {std::string{pki::id::authentication_policy}});
    return fault ? name_of(*fault) : "good";
}

std::string pem_of(const Bytes& der)
{
    return pki::certificate_pem(pki::certificate_from_der(der).get());
}

class Forge {
public:
    Forge(fs::path folder, EpochSeconds at)
        : folder_{std::move(folder)}, at_{at}, verdicts_{folder_ / "verdicts"}
    {
    }

    /// The chain with its anchors: all authorities, and the issuing one alone.
    void write(const std::string& name, const chains::Chain& chain)
    {
        const auto signed_chain = chains::sign(chain, at_);
        std::string all;
        for (std::size_t i = 0; i + 1 < signed_chain.size(); ++i)
            all += pem_of(signed_chain[i]);
        write_one(name + ".all", signed_chain.back(), all);
        if (chain.size() > 2)
            write_one(name + ".issuing", signed_chain.back(),
                      pem_of(signed_chain[signed_chain.size() - 2]));
    }

private:
    void write_one(const std::string& name, const Bytes& leaf, const std::string& anchors)
    {
        std::ofstream{folder_ / (name + ".leaf.pem")} << pem_of(leaf);
        std::ofstream{folder_ / (name + ".anchors.pem")} << anchors;
        verdicts_ << name << ' ' << judge(leaf, anchors, at_) << '\n';
    }

    fs::path folder_;
    EpochSeconds at_;
    std::ofstream verdicts_;
};

bool fits(const Mutation& mutation, bool leaf)
{
    switch (mutation.where) {
    case Mutation::Where::leaf: return leaf;
    case Mutation::Where::authority: return !leaf;
    case Mutation::Where::any: break;
    }
    return true;
}

/// `<mutation>@<place>/<length>`: place 0 is the root.
void write_all(Forge& forge)
{
    for (const auto& mutation : chains::mutations())
        for (std::size_t length = 2; length <= 4; ++length)
            for (std::size_t place = 0; place != length; ++place) {
                if (!fits(mutation, place + 1 == length))
                    continue;
                auto chain = chains::sound_chain(length);
                mutation.apply(chain[place]);
                const auto where = place + 1 == length   ? "leaf"
                                   : place + 2 == length ? "issuing"
                                                         : "upper" + std::to_string(place);
                forge.write(mutation.name + "@" + where + "." + std::to_string(length), chain);
            }
    // Two authorities that vouch for each other, and no root.
    auto cycle = chains::sound_chain(3);
    cycle[0].issuer = cycle[1].name;
    cycle[0].signed_by = cycle[1].key;
    forge.write("cycle@upper0.3", cycle);
}

} // namespace

int main(int argc, char** argv)
{
    long long at = 0;
    if (argc != 3 ||
        std::from_chars(argv[2], argv[2] + std::string_view{argv[2]}.size(), at).ec !=
            std::errc{}) {
        std::cerr << "usage: chain-forge FOLDER EPOCH\n";
        return 2;
    }
    Forge forge{argv[1], epoch_seconds(at)};
    write_all(forge);
    return 0;
}
