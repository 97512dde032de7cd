#include "pki/directory.hpp"

#include "pki/cards.hpp"
#include "pki/files.hpp"
#include "pki/rsa_key.hpp"

#include <charconv>
#include <future>

namespace cps::pki {
namespace {

namespace fs = std::filesystem;

/// A card with both its pairs, ready to be written.
struct Issued {
    Card card;
    Authority authentication;
    Authority signature;
};

Issued issue(const Hierarchy& hierarchy, const Card& card)
{
    const auto from = years_after(hierarchy.at(), card.years_from);
    const auto until = years_after(from, leaf_years);
    return {card, hierarchy.issue(authentication_leaf(card.name, card.person, from, until)),
            hierarchy.issue(signature_leaf(card.name, card.person, from, until))};
}

/// All cards, as many at once as there are cores; their order stays.
std::vector<Issued> issue_all(const Hierarchy& hierarchy)
{
    std::vector<std::future<Issued>> running;
    for (const auto& card : fictitious_cards())
        running.push_back(std::async(std::launch::async,
                                     [&hierarchy, card] { return issue(hierarchy, card); }));
    std::vector<Issued> out;
    for (auto& one : running)
        out.push_back(one.get());
    return out;
}

void write_public(const fs::path& path, std::string_view text)
{
    write_file(path, octets(text), Access::everyone);
}
void write_key(const fs::path& path, const KeyPtr& key)
{
    write_file(path, octets(private_key_pem(key)), Access::owner_only);
}
void write_certificate_pem(const fs::path& path, const Authority& authority)
{
    write_public(path, certificate_pem(authority.certificate.get()));
}

void write_card(const fs::path& directory, const Issued& issued)
{
    const auto folder = directory / "cards" / issued.card.name;
    fs::create_directories(folder);
    write_public(folder / "card.toml", card_toml(issued.card));
    write_key(folder / "auth.key", issued.authentication.key);
    write_file(folder / "auth.der", issued.authentication.der(), Access::everyone);
    write_key(folder / "sign.key", issued.signature.key);
    write_file(folder / "sign.der", issued.signature.der(), Access::everyone);
}

void write_authorities(const fs::path& directory, const Hierarchy& hierarchy,
                       std::uint64_t seed)
{
    fs::create_directories(directory / "ca");
    fs::permissions(directory / "ca", fs::perms::owner_all);
    write_public(directory / "ca" / "seed", std::to_string(seed) + "\n");
    write_key(directory / "ca" / "root.key", hierarchy.root().key);
    write_key(directory / "ca" / "issuing.key", hierarchy.issuing().key);
    write_certificate_pem(directory / "root.pem", hierarchy.root());
    write_certificate_pem(directory / "trust.pem", hierarchy.issuing());

    const auto tls = tls_authority(seed, hierarchy.at());
    write_key(directory / "ca" / "tls-ca.key", tls.key);
    write_certificate_pem(directory / "tls-ca.pem", tls);

    const auto responder = hierarchy.ocsp_responder();
    fs::create_directories(directory / "ocsp");
    write_key(directory / "ocsp" / "responder.key", responder.key);
    write_file(directory / "ocsp" / "responder.der", responder.der(), Access::everyone);
}

std::uint64_t parse_seed(std::string_view text)
{
    std::uint64_t seed = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (failure != std::errc{} ||
        text.substr(static_cast<std::size_t>(end - text.data())) != "\n")
        throw Error{Errc::malformed_input, "ca/seed holds no number"};
    return seed;
}

} // namespace

void write_hierarchy(const fs::path& directory, std::uint64_t seed, EpochSeconds at,
                     unsigned ca_bits)
{
    if (fs::exists(directory) && (!fs::is_directory(directory) || !fs::is_empty(directory)))
        throw Error{Errc::bad_request, "the folder is not empty"};
    fs::create_directories(directory);

    const Hierarchy hierarchy{{seed, at, ca_bits}};
    write_authorities(directory, hierarchy, seed);
    Index index;
    for (const auto& issued : issue_all(hierarchy)) {
        write_card(directory, issued);
        const auto revoked = issued.card.revoked ? std::optional{at} : std::nullopt;
        index.push_back(index_entry(issued.authentication, revoked));
        index.push_back(index_entry(issued.signature, revoked));
    }
    write_public(directory / "index.txt", to_text(index));
    write_crls(directory, hierarchy.root(), hierarchy.issuing(), index, at);
}

Stored load_hierarchy(const fs::path& directory)
{
    const auto pair = [&](const char* key, const char* certificate) {
        return Authority{private_key_from_pem(read_file(directory / key)),
                         certificate_from_pem(read_file(directory / certificate))};
    };
    return {parse_seed(read_file(directory / "ca" / "seed")),
            pair("ca/root.key", "root.pem"),
            pair("ca/issuing.key", "trust.pem"),
            {private_key_from_pem(read_file(directory / "ocsp" / "responder.key")),
             certificate_from_der(octets(read_file(directory / "ocsp" / "responder.der")))},
            pair("ca/tls-ca.key", "tls-ca.pem"),
            parse_index(read_file(directory / "index.txt"))};
}

void write_crls(const fs::path& directory, const Authority& root, const Authority& issuing,
                const Index& index, EpochSeconds now)
{
    fs::create_directories(directory / "crl");
    write_file(directory / "crl" / "ACR-FO-TEST.crl", crl(root, {}, now, now + crl_life),
               Access::everyone);
    write_file(directory / "crl" / "ACI-FO-PP-TEST.crl",
               crl(issuing, index, now, now + crl_life), Access::everyone);
}

void write_tls_server(const fs::path& directory, const Authority& server)
{
    fs::create_directories(directory);
    write_key(directory / "server.key", server.key);
    write_certificate_pem(directory / "server.pem", server);
}

} // namespace cps::pki
