#pragma once

#include "cps/base/bytes.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace cps::pki {

/// Largest file of ours that is read back.
inline constexpr std::size_t max_file_size = 1024 * 1024; // octets

enum class Access { everyone, owner_only }; ///< 0644, 0600

/// Writes anew beside the old file and renames, so that a reader never sees half.
/// @throws Error internal with errno.
void write_file(const std::filesystem::path& path, ByteView contents, Access access);
/// @throws Error not_found, too_large.
std::string read_file(const std::filesystem::path& path);

} // namespace cps::pki
