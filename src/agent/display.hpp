#pragma once

#include <string>
#include <string_view>

namespace cps::agent {

/// Makes text from a portal file or a certificate safe to show: control and bidirectional
/// characters, line and paragraph separators and invalid UTF-8 go; at most `max_characters`,
/// and half as many octets more, the cut shown by "…". pinentry-gtk2 and -qt would honour them.
std::string for_display(std::string_view text, std::size_t max_characters);

/// Characters of a row: pinentry-qt breaks no line by itself, pinentry-gtk2 no word, and
/// pinentry-curses breaks both at 75.
inline constexpr std::size_t max_columns = 64;

/// `text` in rows of `max_columns`, broken at blanks; within a word only where it is wider.
std::string in_rows(std::string_view text);

/// Octets of such rows in a line to pinentry, where a line feed and % take three.
std::size_t octets_shown(std::string_view text);

/// Such octets of the words below the recognition phrase: an Assuan line has 1000, less
/// "SETDESC" and the phrase with its own words.
inline constexpr std::size_t max_text = 895;

} // namespace cps::agent
