#pragma once

#include "pin_prompt.hpp"

#include "cps/base/error.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace cps::agent {

// The person's recognition phrase: shown in every dialog of the agent and nowhere else, so that
// a look-alike window, which does not know it, can be told apart.

inline constexpr std::size_t min_phrase = 8;  // characters; fewer are guessed, or are a PIN
inline constexpr std::size_t max_phrase = 40; // characters: it stays on one line
inline constexpr std::size_t max_phrase_octets = 80; // it leaves room for the words below

/// `$XDG_STATE_HOME/cps-agent/phrase`, or empty.
std::filesystem::path phrase_file();

/// `typed` without blanks around it. Errors: bad_argument for what is too short or too long, or
/// has characters that a dialog would not show.
Result<std::string> as_phrase(std::string_view typed);

/// Empty: none was chosen. Errors: malformed_input for a file that is not the person's alone
/// (0600) or holds no phrase; internal.
Result<std::optional<std::string>> read_phrase(const std::filesystem::path& file);
/// @param phrase from `as_phrase`. Errors: internal.
Result<void> write_phrase(const std::filesystem::path& file, std::string_view phrase);

/// Puts the phrase, read anew each time, above the words of every dialog; where there is none
/// to show, it says so, since a person would miss it. Threads: as the prompt behind it.
class RecognisedPrompt final : public PinPrompt {
public:
    /// @param file empty: nobody's. @param language "fr" or "en", of all dialogs.
    RecognisedPrompt(PinPrompt& prompt, std::filesystem::path file, std::string_view language)
        : prompt_{prompt}, file_{std::move(file)}, language_{language}
    {
    }
    Result<Pin> ask_pin(const Dialog& dialog, const Cancel& cancel, Deadline until) override;
    Result<void> confirm(const Dialog& dialog, const Cancel& cancel, Deadline until) override;
    Result<std::unique_ptr<Notice>> show(const Dialog& dialog, Cancel& cancel,
                                         Deadline until) override;

private:
    Dialog with_phrase(Dialog dialog) const;
    PinPrompt& prompt_;
    const std::filesystem::path file_;
    const std::string language_;
};

} // namespace cps::agent
