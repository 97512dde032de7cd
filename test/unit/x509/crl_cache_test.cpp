#include "cps/x509/crl_store.hpp"

#include "support/revocations.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace cps;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using test::crl_of;
using x509::CrlStore;
using x509::RevocationDoubt;
using Outcome = CrlStore::Offer::Outcome;

namespace {

constexpr auto noon = test::issue_time + 12h;

/// A folder of its own, gone at the end.
class Folder {
public:
    Folder()
    {
        std::string name = (fs::temp_directory_path() / "cps-crl-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }

    void write(const std::string& name, ByteView octets) const
    {
        std::ofstream{path / name, std::ios::binary} << text_of(octets);
    }
    std::vector<fs::path> files() const
    {
        return {fs::directory_iterator{path}, fs::directory_iterator{}};
    }
    fs::path path;
};

const x509::Certificate& card()
{
    static const auto made = test::issue(test::physician());
    return made;
}

} // namespace

TEST_SUITE("x509")
{
    TEST_CASE("what was taken outlives the program, deltas too, and still bars what is older")
    {
        const Folder folder;
        const auto cache = folder.path / "crl"; // made when it is needed
        test::MovedClock clock{noon};
        {
            CrlStore crls{{test::issuing_authority()}, clock, cache};
            CHECK(crls.remembered().empty());
            REQUIRE(crls.offer(crl_of({.number = 10})).outcome == Outcome::taken);
            REQUIRE(crls.offer(crl_of({.number = 12,
                                       .base = 10,
                                       .this_update = noon,
                                       .revoked = {{test::serial_of(card())}}}))
                        .outcome == Outcome::taken);
            REQUIRE(crls.offer(crl_of({.number = 11, .this_update = noon - 1h})).outcome ==
                    Outcome::taken);
        }
        CHECK(std::distance(fs::directory_iterator{cache}, {}) == 2); // nothing left beside

        CrlStore crls{{test::issuing_authority()}, clock, cache};

        CHECK(crls.remembered().size() == 2);
        CHECK(crls.check(card(), {}).is_revoked());
        CHECK(crls.offer(crl_of({.number = 10, .this_update = noon})).why ==
              RevocationDoubt::rolled_back);
    }

    TEST_CASE("the cache is believed no more than the network")
    {
        const Folder folder;
        test::MovedClock clock{noon};
        {
            CrlStore crls{{test::issuing_authority()}, clock, folder.path};
            REQUIRE(crls.offer(crl_of({})).outcome == Outcome::taken);
        }
        const auto files = folder.files();
        REQUIRE(files.size() == 1);
        folder.write("0.crl", crl_of({.key_of = &test::impostor()}));
        {
            std::fstream file{files[0], std::ios::binary | std::ios::in | std::ios::out};
            file.seekp(-1, std::ios::end);
            file.put('!');
        }

        CrlStore crls{{test::issuing_authority()}, clock, folder.path};

        REQUIRE(crls.remembered().size() == 2);
        for (const auto& offer : crls.remembered())
            CHECK(offer.why == RevocationDoubt::bad_signature);
        CHECK(crls.check(card(), {}).why == RevocationDoubt::no_source);
    }

    TEST_CASE("a folder of lists is read by name, and each file is told of")
    {
        const Folder folder;
        folder.write("1.crl", crl_of({.number = 1}));
        folder.write("2.der", crl_of({.number = 2, .revoked = {{test::serial_of(card())}}}));
        folder.write("3.pem", octets("no PEM"));
        folder.write("README", octets("not read"));
        fs::create_directory(folder.path / "4.crl");
        test::MovedClock clock{noon};
        CrlStore crls{{test::issuing_authority()}, clock};

        const auto offers = crls.load(folder.path);

        REQUIRE(offers.size() == 4);
        CHECK(offers[0].outcome == Outcome::taken);
        CHECK(offers[1].outcome == Outcome::taken);
        CHECK(offers[2].why == RevocationDoubt::not_an_answer);
        CHECK(offers[3].why == RevocationDoubt::unreachable);
        CHECK(crls.check(card(), {}).is_revoked());
        CHECK(crls.load(folder.path / "2.der")[0].outcome == Outcome::unchanged);
        CHECK(crls.load(folder.path / "none.crl")[0].why == RevocationDoubt::unreachable);
    }

    TEST_CASE("a cache that cannot be written costs nothing but itself")
    {
        const Folder folder;
        folder.write("file", octets("in the way"));
        test::MovedClock clock{noon};
        CrlStore crls{{test::issuing_authority()}, clock, folder.path / "file"};

        CHECK(crls.offer(crl_of({})).outcome == Outcome::taken);
        CHECK(crls.check(card(), {}).is_good());
    }
}
