#include "fixture.hpp"

#include "pki/directory.hpp"
#include "pki/files.hpp"

#include <doctest/doctest.h>
#include <openssl/x509v3.h>
#include <toml++/toml.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <stdlib.h>
#include <string>

using namespace cps;
namespace fs = std::filesystem;

namespace {

/// A folder of our own, gone with the object.
class TemporaryFolder {
public:
    TemporaryFolder()
    {
        auto pattern = (fs::temp_directory_path() / "cps-pki-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { fs::remove_all(path_); }
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

std::map<std::string, std::string> contents(const fs::path& folder)
{
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator{folder})
        if (entry.is_regular_file())
            out[fs::relative(entry.path(), folder)] = pki::read_file(entry.path());
    return out;
}

} // namespace

TEST_SUITE("pki")
{
    TEST_CASE(
        "one seed and one time make one hierarchy, octet by octet, keys for their owner alone")
    {
        const TemporaryFolder one, other;
        pki::write_hierarchy(one.path(), 7, test::pki_time);
        pki::write_hierarchy(other.path(), 7, test::pki_time);

        const auto files = contents(one.path());

        CHECK(files == contents(other.path()));
        for (const auto* card : {"medecin-cps3", "infirmiere-cps4", "pharmacien-cps3",
                                 "revoquee-cps3", "expiree-cps3", "cpe-cps3"})
            for (const auto* part :
                 {"card.toml", "auth.key", "auth.der", "sign.key", "sign.der"})
                CHECK(files.contains(std::string{"cards/"} + card + "/" + part));
        for (const auto& [name, text] : files) {
            const auto mode = fs::status(one.path() / name).permissions();
            const auto secret = name.ends_with(".key");
            CHECK_MESSAGE(mode == fs::perms(secret ? 0600 : 0644), name);
        }
    }

    TEST_CASE("what was written can be loaded, and makes new CRLs")
    {
        const TemporaryFolder folder;
        pki::write_hierarchy(folder.path(), 8, test::pki_time, 2048);

        const auto stored = pki::load_hierarchy(folder.path());
        const auto before = pki::read_file(folder.path() / "crl" / "ACI-FO-PP-TEST.crl");
        pki::write_crls(folder.path(), stored.root, stored.issuing, stored.index,
                        test::pki_time + std::chrono::hours{1});

        CHECK(stored.seed == 8);
        CHECK(std::ranges::count_if(stored.index, [](const auto& entry) {
                  return entry.revoked_at.has_value();
              }) == 2);
        CHECK(pki::read_file(folder.path() / "crl" / "ACI-FO-PP-TEST.crl") != before);
    }

    TEST_CASE("a folder that holds something is left alone")
    {
        const TemporaryFolder folder;
        std::ofstream{folder.path() / "precious"} << "data";

        CHECK_THROWS_AS(pki::write_hierarchy(folder.path(), 7, test::pki_time), Error);
        CHECK(contents(folder.path()).size() == 1);
    }

    TEST_CASE("card.toml is TOML that says generation, serial, card number and holder")
    {
        for (const auto& card : pki::fictitious_cards()) {
            const auto table = toml::parse(pki::card_toml(card));

            const auto generation = table["generation"].value_or(std::string{});
            CHECK((generation == "cps3" || generation == "cps4"));
            CHECK(table["serial"].value_or(std::string{}).size() == 8);
            CHECK(table["card_number"].value_or(std::string{}).size() == 10);
            CHECK(table["holder"].value_or(std::string{}).find(card.person.surname) !=
                  std::string::npos);
        }
    }

    TEST_CASE("a TLS server's certificate names its host and hangs under the TLS authority")
    {
        const auto authority = pki::tls_authority(7, test::pki_time);

        const auto by_name = pki::tls_server(authority, 7, test::pki_time, "portal.test");
        const auto by_address = pki::tls_server(authority, 7, test::pki_time, "127.0.0.1");

        CHECK(X509_check_host(by_name.certificate.get(), "portal.test", 0, 0, nullptr) == 1);
        CHECK(X509_check_ip_asc(by_address.certificate.get(), "127.0.0.1", 0) == 1);
        CHECK(X509_verify(by_name.certificate.get(), authority.key.get()) == 1);
    }
}
