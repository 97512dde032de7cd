#pragma once

#include "cps/base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace cps::vcard {

using FileId = std::uint16_t;
inline constexpr FileId master_file_id = 0x3F00;

/// Access-mode bits of an elementary file (ISO/IEC 7816-4:2013, table 26).
enum class Access : std::uint8_t { read = 0x01, update = 0x02 };
/// What an access rule asks for; whatever is neither free nor a user's PIN counts as never.
enum class Condition { always, after_pin, never };

/// A transparent elementary file.
struct File {
    FileId id;
    Bytes content;
    /// 1 to 30, or 0 for a file that has none.
    std::uint8_t short_id;
    /// The value of tag 8C: access-mode octet, then one condition octet a set bit.
    Bytes contact_rule;

    Condition condition(Access access) const noexcept;
    /// File control parameters under `tag`: 62 (CPS3) or 6F (CPS4).
    Bytes control_parameters(std::uint8_t tag) const;
};

/// The master file or an application (ADF) below it; CPS cards are no deeper.
struct Directory {
    FileId id;
    Bytes aid;
    std::vector<File> files;

    File* find(FileId file_id) noexcept;
    Bytes control_parameters(std::uint8_t tag) const;
};

/// What SELECT arrived at; `file` is null for a directory.
struct Selection {
    Directory* directory;
    File* file;
};

/// All files of a card. Selections point into it: built once, then neither grown nor moved.
class FileTree {
public:
    FileTree(Directory master, std::vector<Directory> applications);
    FileTree(const FileTree&) = delete;
    FileTree& operator=(const FileTree&) = delete;

    Directory& master() noexcept { return master_; }
    /// The directory of that name; empty when there is none.
    std::optional<Selection> by_aid(ByteView aid) noexcept;
    /// @param path two-octet identifiers, from below the master file; empty is the master file.
    std::optional<Selection> by_path(ByteView path) noexcept;

private:
    Directory master_;
    std::vector<Directory> applications_;
};

/// The two-octet identifier; empty for another length.
std::optional<FileId> file_id_of(ByteView bytes) noexcept;

} // namespace cps::vcard
