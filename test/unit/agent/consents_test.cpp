#include "consents.hpp"
#include "private_file.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

using namespace cps;
using namespace cps::agent;
using namespace std::chrono_literals;

namespace {

class SetClock final : public Clock {
public:
    EpochSeconds now() const override { return at; }
    std::chrono::steady_clock::time_point steady() const override { return {}; }
    EpochSeconds at = epoch_seconds(1'800'000'000);
};

/// A folder that goes with the test.
class Folder {
public:
    Folder()
    {
        char name[] = "/tmp/cps-consents-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::size_t files() const
    {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator{path}, {}));
    }
    std::filesystem::path path;
};

std::string text_of_file(const std::filesystem::path& path)
{
    std::ostringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
}

token::Feature feature(std::string_view id)
{
    return *token::Feature::parse(id);
}

const auto login = std::vector{token::Feature::login()};
const std::vector two{feature("patient.read"), feature("patient.list")};
const std::vector two_reversed{feature("patient.list"), feature("patient.read")};

Portal portal(const std::string& origin = "https://one.example")
{
    Portal made{*token::Origin::parse(origin), {"Un", "One"}, {}, {}, false, {}};
    made.features.emplace(feature("patient.read"),
                          PortalFeature{{"Lire", "Read"}, FeatureMode::session, 200});
    made.features.emplace(feature("patient.list"),
                          PortalFeature{{"Lister", "List"}, FeatureMode::card, 0});
    return made;
}

struct Remembered {
    Folder folder;
    SetClock clock;
    std::filesystem::path file = folder.path / "state" / "cps-agent" / "consents.json";
    Consents open(std::chrono::days life = std::chrono::days{90})
    {
        return {file, life, clock};
    }
};

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("a consent holds for its portal and its set of features, in any order")
    {
        Remembered kept;
        auto consents = kept.open();
        CHECK_FALSE(consents.covers(portal(), two));

        consents.given(portal(), two);

        CHECK(consents.covers(portal(), two));
        CHECK(consents.covers(portal(), two_reversed));
        CHECK_FALSE(consents.covers(portal(), {two[0]}));
        CHECK_FALSE(consents.covers(portal(), login));
        CHECK_FALSE(consents.covers(portal("https://two.example"), two));
    }

    TEST_CASE("a consent outlives the agent in a file that is the person's alone")
    {
        Remembered kept;
        kept.open().given(portal(), two);

        CHECK(kept.open().covers(portal(), two));
        struct stat info {};
        REQUIRE(::stat(kept.file.c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0600);
        CHECK(std::distance(std::filesystem::directory_iterator{kept.file.parent_path()}, {}) ==
              1); // no temporary file is left
    }

    TEST_CASE("a consent ends with its time, and with a clock that was set back")
    {
        Remembered kept;
        auto consents = kept.open();
        consents.given(portal(), login);

        kept.clock.at += std::chrono::days{90} - 1s;
        CHECK(consents.covers(portal(), login));
        kept.clock.at += 1s;
        CHECK_FALSE(consents.covers(portal(), login));
        CHECK(consents.all().empty());
        kept.clock.at -= std::chrono::days{91};
        CHECK_FALSE(consents.covers(portal(), login));
    }

    TEST_CASE("a shorter life in the configuration ends older consents, and none keeps none")
    {
        Remembered kept;
        kept.open().given(portal(), login);
        kept.clock.at += std::chrono::days{2};

        CHECK(kept.open(std::chrono::days{3}).covers(portal(), login));
        CHECK_FALSE(kept.open(std::chrono::days{2}).covers(portal(), login));
        auto none = kept.open(std::chrono::days{0});
        none.given(portal(), two);
        CHECK_FALSE(none.covers(portal(), two));
    }

    TEST_CASE("other words, another mode or another limit void a consent")
    {
        Remembered kept;
        auto consents = kept.open();
        consents.given(portal(), two);
        consents.given(portal(), login);

        auto changed = portal();
        changed.features.at(two[0]).label.fr = "Lire et modifier";
        CHECK_FALSE(consents.covers(changed, two));
        CHECK(consents.covers(changed, login)); // which says nothing of that feature
        changed = portal();
        changed.features.at(two[0]).limit = 201;
        CHECK_FALSE(consents.covers(changed, two));
        changed = portal();
        changed.features.at(two[1]).mode = FeatureMode::session;
        CHECK_FALSE(consents.covers(changed, two));
        changed = portal();
        changed.features.erase(two[1]);
        CHECK_FALSE(consents.covers(changed, two));
        changed = portal();
        changed.name.fr = "Deux";
        CHECK_FALSE(consents.covers(changed, login));
    }

    TEST_CASE("consents are revoked by origin or all at once, on the disk too")
    {
        Remembered kept;
        auto consents = kept.open();
        consents.given(portal(), two);
        consents.given(portal(), login);
        consents.given(portal("https://two.example"), login);

        CHECK(consents.revoke(portal().origin).value() == 2);
        CHECK(consents.revoke(portal().origin).value() == 0);
        CHECK_FALSE(kept.open().covers(portal(), login));
        CHECK(kept.open().covers(portal("https://two.example"), login));
        CHECK(consents.revoke_all().value() == 1);
        CHECK(kept.open().all().empty());
    }

    TEST_CASE("there are at most 256 consents, of which the oldest goes first")
    {
        Remembered kept;
        auto consents = kept.open();

        for (unsigned i = 0; i != Consents::capacity + 1; ++i)
            consents.given(portal("https://p" + std::to_string(i) + ".example"), login);

        CHECK(consents.all().size() == Consents::capacity);
        CHECK_FALSE(consents.covers(portal("https://p0.example"), login));
        CHECK(consents.covers(portal("https://p1.example"), login));
        CHECK(kept.open().all().size() == Consents::capacity);
    }

    TEST_CASE("the same consent given again is one consent")
    {
        Remembered kept;
        auto consents = kept.open();

        consents.given(portal(), two);
        kept.clock.at += std::chrono::days{80};
        consents.given(portal(), two_reversed);

        REQUIRE(consents.all().size() == 1);
        CHECK(consents.all()[0].given == kept.clock.at);
    }

    TEST_CASE("a damaged file is set aside whole, and what is agreed to next is kept")
    {
        for (const auto* const damaged :
             {"", "{", "[]", R"({"v":2,"consents":[]})", R"({"v":1,"consents":[{}]})",
              R"({"v":1,"consents":[{"origin":"https://a.example","features":["login"],)"
              R"("words":"x","given":-1}]})",
              R"({"v":1,"consents":[],"consents":[]})"}) {
            CAPTURE(damaged);
            Remembered kept;
            std::filesystem::create_directories(kept.file.parent_path());
            std::ofstream{kept.file} << damaged;

            kept.open().given(portal(), login);

            CHECK(kept.open().covers(portal(), login));
            const auto aside = kept.file.string() + ".bad-1800000000";
            REQUIRE(std::filesystem::exists(aside));
            CHECK(text_of_file(aside) == damaged);
            // A second bad file of the same second does not take the first one's place.
            std::ofstream{kept.file} << "again";
            CHECK(kept.open().all().empty());
            CHECK(text_of_file(aside) == damaged);
            CHECK(text_of_file(aside + "-1") == "again");
        }
    }

    TEST_CASE("a file that others may write, or a link, is not believed")
    {
        Remembered kept;
        kept.open().given(portal(), login);
        ::chmod(kept.file.c_str(), 0666);
        CHECK_FALSE(kept.open().covers(portal(), login));

        kept.open().given(portal(), login);
        const auto elsewhere = kept.folder.path / "elsewhere.json";
        std::filesystem::rename(kept.file, elsewhere);
        std::filesystem::create_symlink(elsewhere, kept.file);
        CHECK_FALSE(kept.open().covers(portal(), login));
        CHECK(std::filesystem::exists(elsewhere));
    }

    TEST_CASE("without a folder for it, a consent lasts as long as the agent")
    {
        const SetClock clock;
        Consents consents{{}, std::chrono::days{90}, clock};

        consents.given(portal(), login);

        CHECK(consents.covers(portal(), login));
    }

    TEST_CASE("a consent that stays on the disk is not told as revoked")
    {
        if (::geteuid() == 0 && ::access("/proc/version", W_OK) == 0)
            return;
        const SetClock clock;
        Consents consents{"/proc/cps-agent/consents.json", std::chrono::days{90}, clock};
        consents.given(portal(), login);

        CHECK(consents.revoke_all().error().code() == Errc::internal);
    }

    TEST_CASE("a private file is written whole, and read up to its limit")
    {
        const Folder folder;
        const auto path = folder.path / "one";

        REQUIRE(write_private_file(path, "first").has_value());
        REQUIRE(write_private_file(path, "second").has_value());

        CHECK(read_private_file(path, 6).value() == "second");
        CHECK(read_private_file(path, 5).error().code() == Errc::too_large);
        CHECK_FALSE(read_private_file(folder.path / "none", 5).value().has_value());
        CHECK(read_private_file(folder.path, 5).error().code() == Errc::malformed_input);
        CHECK(folder.files() == 1);
    }
}
