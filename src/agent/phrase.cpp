#include "phrase.hpp"

#include "private_file.hpp"
#include "runtime_dir.hpp"
#include "texts.hpp"

#include "cps/base/log.hpp"

#include <algorithm>

namespace cps::agent {
namespace {

constexpr std::size_t max_file = 4 * max_phrase + 1; // octets: UTF-8 and a line feed

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    return first == text.npos ? ""
                              : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::size_t characters(std::string_view text)
{
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

} // namespace

std::filesystem::path phrase_file()
{
    const auto folder = personal_state_dir();
    return folder.empty() ? folder : folder / "phrase";
}

Result<std::string> as_phrase(std::string_view typed)
{
    const auto phrase = trimmed(typed);
    if (characters(phrase) < min_phrase)
        return Error{Errc::bad_argument, "a phrase has at least 8 characters"};
    if (characters(phrase) > max_phrase || phrase.size() > max_phrase_octets)
        return Error{Errc::bad_argument, "a phrase has at most 40 characters and 80 octets"};
    if (for_display(phrase, max_phrase) != phrase)
        return Error{Errc::bad_argument, "a phrase has only characters that can be seen"};
    return std::string{phrase};
}

Result<std::optional<std::string>> read_phrase(const std::filesystem::path& file)
{
    if (file.empty())
        return std::optional<std::string>{};
    const auto text = read_private_file(file, max_file, Others::may_nothing);
    if (!text)
        return text.error().code() == Errc::too_large
                   ? Error{Errc::malformed_input, "the phrase's file is too large"}
                   : text.error();
    if (!*text)
        return std::optional<std::string>{};
    auto phrase = as_phrase(**text);
    if (!phrase)
        return Error{Errc::malformed_input, "the phrase's file holds no phrase"};
    return std::optional{*std::move(phrase)};
}

Result<void> write_phrase(const std::filesystem::path& file, std::string_view phrase)
{
    return write_private_file(file, std::string{phrase} + '\n');
}

Dialog RecognisedPrompt::with_phrase(Dialog dialog) const
{
    const bool fr = language_ != "en";
    const auto phrase = read_phrase(file_);
    std::string line;
    if (!phrase) {
        log::error(phrase.error());
        line = fr ? "Votre phrase de reconnaissance est illisible : « cpsctl phrase » dit "
                    "pourquoi."
                  : "Your recognition phrase cannot be read: `cpsctl phrase` says why.";
    } else if (*phrase) {
        line = fr ? "Votre phrase : « " + **phrase + " »" : "Your phrase: “" + **phrase + "”";
    } else {
        line = fr ? "Aucune phrase de reconnaissance : « cpsctl phrase choose »."
                  : "No recognition phrase: `cpsctl phrase choose`.";
    }
    dialog.description = line + "\n\n" + dialog.description;
    return dialog;
}

Result<Pin> RecognisedPrompt::ask_pin(const Dialog& dialog, const Cancel& cancel,
                                      Deadline until)
{
    return prompt_.ask_pin(with_phrase(dialog), cancel, until);
}

Result<void> RecognisedPrompt::confirm(const Dialog& dialog, const Cancel& cancel,
                                       Deadline until)
{
    return prompt_.confirm(with_phrase(dialog), cancel, until);
}

Result<std::unique_ptr<Notice>> RecognisedPrompt::show(const Dialog& dialog, Cancel& cancel,
                                                       Deadline until)
{
    return prompt_.show(with_phrase(dialog), cancel, until);
}

} // namespace cps::agent
