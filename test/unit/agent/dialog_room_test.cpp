#include "phrase.hpp"
#include "pin_texts.hpp"
#include "pinentry.hpp"
#include "texts.hpp"

#include "cps/token/json.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace cps;
using namespace cps::agent;

namespace {

/// Of so many characters, and as many octets as may be.
std::string longest_of(std::size_t characters)
{
    std::string all;
    for (std::size_t i = 0; i != characters / 2; ++i)
        all += "é";
    return all + std::string(characters / 2, 'm');
}

/// The longest phrase above a dialog, which the scripted pinentry of test/support receives.
class LongestPhrase {
public:
    LongestPhrase()
    {
        char name[] = "/tmp/cps-room-XXXXXX";
        folder_ = ::mkdtemp(name);
        ::setenv("CPS_TEST_PINENTRY", folder_.c_str(), 1);
        REQUIRE(as_phrase(phrase).has_value());
        REQUIRE(write_phrase(folder_ / "phrase", phrase).has_value());
    }
    ~LongestPhrase() { std::filesystem::remove_all(folder_); }
    LongestPhrase(const LongestPhrase&) = delete;
    LongestPhrase& operator=(const LongestPhrase&) = delete;

    /// What came out at the other end.
    std::string told(const Dialog& dialog, std::string_view language)
    {
        std::ofstream{folder_ / "dialogs.jsonl"};
        Pinentry pinentry{CPS_TEST_PINENTRY_PROGRAM};
        RecognisedPrompt prompt{pinentry, folder_ / "phrase", language};
        const Cancel cancel;
        CHECK(prompt
                  .ask_pin(dialog, cancel,
                           std::chrono::steady_clock::now() + std::chrono::seconds{20})
                  .error()
                  .code() == Errc::pin_cancelled); // it has no other answer
        std::ifstream file{folder_ / "dialogs.jsonl"};
        const std::string line{std::istreambuf_iterator<char>{file}, {}};
        const auto read = token::parse_json(line, 8192);
        REQUIRE(read.has_value());
        return std::string{*token::string_member(read->get_object(), "desc")};
    }
    const std::string phrase = longest_of(max_phrase);

private:
    std::filesystem::path folder_;
};

/// An origin of 255 octets that ends so.
token::Origin longest_origin(std::string_view end)
{
    std::string text{"https://"};
    while (text.size() + end.size() + 65 < token::Origin::max_size)
        text += std::string(63, 'a') + '.';
    text.append(token::Origin::max_size - end.size() - text.size() - 1, 'b');
    const auto origin = token::Origin::parse(text + '.' + std::string{end});
    REQUIRE(origin.has_value());
    REQUIRE(origin->str().size() == token::Origin::max_size);
    return *origin;
}

bool holds(std::string_view text, std::string_view part)
{
    return text.find(part) != text.npos;
}

/// What must be said whole, whatever the sizes.
void check_whole(const std::string& told, const AskedFor& asked, const std::string& phrase)
{
    const bool fr = asked.language == "fr";
    CAPTURE(told);
    CHECK(holds(told, phrase));
    CHECK(holds(told, (fr ? "Carte : " : "Card: ") + asked.holder));
    CHECK(holds(told, fr ? "tapez votre code porteur." : "type your card's code."));
    const auto& origin = asked.origin.str();
    CHECK(holds(told, "…" + origin.substr(origin.size() - 48) + "\n"));
    for (std::size_t at = 0; at < origin.size(); at += 56)
        CHECK(holds(told,
                    "\n  " + origin.substr(at, 56) + (at + 56 < origin.size() ? "…\n" : "\n")));
}

} // namespace

TEST_SUITE("agent")
{
    TEST_CASE("whatever a portal registers, who asks and whose card it is reach pinentry whole")
    {
        LongestPhrase longest;
        const auto name = longest_of(Portals::max_name);
        for (const std::string end :
             {"one.example:8443", "xn--e1afmkfd.example", "xn--9ca.example"})
            for (const std::string language : {"fr", "en"})
                for (const std::size_t count : {1U, 64U}) {
                    Portal portal{longest_origin(end), {name, name}, {}, {}, false, {}};
                    AskedFor asked{language, portal.origin, &portal, {}, longest_of(56)};
                    const auto label = longest_of(Portals::max_label);
                    for (std::size_t i = 0; i != count; ++i) {
                        asked.features.push_back(
                            *token::Feature::parse("feature." + std::to_string(i)));
                        portal.features.emplace(
                            asked.features.back(),
                            PortalFeature{{label, label}, FeatureMode::card, 0});
                    }
                    asked.limit = Portals::max_limit;
                    asked.remembered_days = 365;

                    const auto dialog = pin_dialog(asked);
                    const auto told = longest.told(dialog, language);

                    CAPTURE(end);
                    check_whole(told, asked, longest.phrase);
                    CHECK(holds(told, name + (language == "fr" ? "\ndemande" : "\nasks")));
                    CHECK(holds(told, "  • " + longest_of(36).substr(0, 36)));
                    CHECK(holds(told, language == "fr" ? "et 63 de plus" : "and 63 more") ==
                          (count == 64));
                    CHECK(dialog.whole == holds(told, "365"));
                }
    }

    TEST_CASE("so they do for a site that nobody registered and that looks like another")
    {
        LongestPhrase longest;
        for (const std::string language : {"fr", "en"}) {
            AskedFor asked{language,
                           longest_origin("xn--e1afmkfd.example"),
                           nullptr,
                           {token::Feature::login()},
                           longest_of(56)};
            asked.resembles = longest_origin("two.example").str();

            const auto told = longest.told(pin_dialog(asked), language);

            check_whole(told, asked, longest.phrase);
            CHECK(holds(told, "two.example"));
            CHECK(holds(told, "alphabet"));
        }
    }
}
