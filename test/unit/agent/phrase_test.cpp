#include "phrase.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

using namespace cps;
using namespace cps::agent;

namespace {

class Folder {
public:
    Folder()
    {
        char name[] = "/tmp/cps-phrase-XXXXXX";
        path_ = ::mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path file() const { return path_ / "phrase"; }

private:
    std::filesystem::path path_;
};

/// Keeps what it was to show.
class Recorder final : public PinPrompt {
public:
    std::string shown;
    Result<Pin> ask_pin(const Dialog& dialog, const Cancel&, Deadline) override
    {
        shown = dialog.description;
        return Pin{};
    }
    Result<void> confirm(const Dialog& dialog, const Cancel&, Deadline) override
    {
        shown = dialog.description;
        return {};
    }
    Result<std::unique_ptr<Notice>> show(const Dialog& dialog, Cancel&, Deadline) override
    {
        shown = dialog.description;
        return std::make_unique<Notice>();
    }
};

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("a phrase is bounded, trimmed, and has nothing that cannot be seen")
    {
        CHECK(*as_phrase("  l'été à Saint-Malo \n") == "l'été à Saint-Malo");
        CHECK(as_phrase(std::string(40, 'a')).has_value());
        for (const auto& bad :
             {std::string{}, std::string{"1234567"}, std::string(41, 'a'),
              std::string{"renversé \u202Eeriannoc"}, std::string{"deux\tcolonnes"},
              std::string{"pas UTF-8 \xC3\x28"}})
            CHECK(as_phrase(bad).error().code() == Errc::bad_argument);
    }

    TEST_CASE("a phrase is kept for the person alone, and refused where others can read it")
    {
        const Folder folder;
        CHECK_FALSE(read_phrase(folder.file())->has_value());

        REQUIRE(write_phrase(folder.file(), "l'été à Saint-Malo").has_value());

        CHECK(**read_phrase(folder.file()) == "l'été à Saint-Malo");
        for (const mode_t mode : {0640U, 0604U, 0620U}) {
            ::chmod(folder.file().c_str(), mode);
            CHECK(read_phrase(folder.file()).error().code() == Errc::malformed_input);
        }
    }

    TEST_CASE("a phrase's file that holds something else is refused")
    {
        const Folder folder;
        for (const auto& text : {std::string{"court"}, std::string(300, 'a')}) {
            REQUIRE(write_phrase(folder.file(), text).has_value());
            CHECK(read_phrase(folder.file()).error().code() == Errc::malformed_input);
        }
    }

    TEST_CASE("every kind of dialog shows the phrase first, or that there is none to show")
    {
        const Folder folder;
        Recorder recorder;
        RecognisedPrompt prompt{recorder, folder.file(), "fr"};
        Cancel cancel;
        const Dialog dialog{"", "Le reste.", "", "", "", ""};
        const auto first_lines = [&] {
            std::vector<std::string> lines;
            (void)prompt.ask_pin(dialog, cancel, {});
            lines.push_back(recorder.shown);
            (void)prompt.confirm(dialog, cancel, {});
            lines.push_back(recorder.shown);
            (void)prompt.show(dialog, cancel, {});
            lines.push_back(recorder.shown);
            return lines;
        };

        for (const auto& shown : first_lines())
            CHECK(shown.starts_with("Aucune phrase de reconnaissance"));
        REQUIRE(write_phrase(folder.file(), "l'été à Saint-Malo").has_value());
        for (const auto& shown : first_lines())
            CHECK(shown == "Votre phrase : « l'été à Saint-Malo »\n\nLe reste.");
        ::chmod(folder.file().c_str(), 0644);
        for (const auto& shown : first_lines())
            CHECK(shown.starts_with("Votre phrase de reconnaissance est illisible"));
    }
}
