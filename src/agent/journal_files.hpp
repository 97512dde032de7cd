#pragma once

#include "journal_line.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cps::agent {

/// The files of one journal, in `personal_state_dir()`. The folder has mode 0700, each file
/// 0600.
struct JournalFiles {
    std::filesystem::path dir;
    std::filesystem::path current() const { return dir / "journal.jsonl"; }
    std::filesystem::path older() const { return dir / "journal.1.jsonl"; }
    std::filesystem::path head() const { return dir / "journal.head"; }
    std::filesystem::path key() const { return dir / "journal.key"; }
    std::filesystem::path lock() const { return dir / "journal.lock"; }
    /// Where a journal goes that does not hold together.
    std::filesystem::path broken() const { return dir / "journal.broken.jsonl"; }
    std::filesystem::path broken_older() const { return dir / "journal.broken.1.jsonl"; }
};

/// Above what one file may grow to (Journal::Limits), so that what is read stays bounded.
inline constexpr std::size_t max_journal_file = 16 * 1024 * 1024; // octets

/// Where a journal stops holding together.
struct JournalFault {
    std::string file;
    std::size_t line = 0; ///< from 1; 0: the file as a whole
    std::string reason;
    /// `file:line: reason`.
    std::string str() const;
};

struct JournalReport {
    std::vector<JournalLine> lines; ///< of both files, oldest first, up to the first fault
    std::optional<JournalFault> fault;
    /// The last line of the current file has no end, and nothing else is wrong: a crash. So
    /// many octets belong to it.
    std::size_t torn = 0;
    std::size_t current_size = 0; ///< octets of whole lines in the current file
    std::string last_hash;        ///< of the last whole line; "" without any
    std::optional<JournalHead> head;
};

/// Reads both files and checks: each line's form, the numbers, the chain over both files, and
/// the signed head, which the journal may be ahead of by one line (a crash between the two
/// writes) and never behind. A journal of which no file exists is empty and good.
JournalReport check_journal(const JournalFiles& files);

} // namespace cps::agent
