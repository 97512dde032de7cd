#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"

#include <filesystem>
#include <vector>

namespace cps::x509 {

/// @param limit octets. Errors: not_found, too_large.
Result<Bytes> read_whole_file(const std::filesystem::path& path, std::size_t limit);
/// Writes beside, then renames over: after a crash the file is the old or the new one.
/// Errors: internal with errno.
Result<void> replace_file(const std::filesystem::path& path, ByteView octets);
/// Regular files of `folder` that end in .crl, .der or .pem, by name, at most 256. Errors:
/// not_found.
Result<std::vector<std::filesystem::path>> crl_files(const std::filesystem::path& folder);

} // namespace cps::x509
