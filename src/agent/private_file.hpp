#pragma once

#include "cps/base/error.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace cps::agent {

/// Writes `text` to `path` whole or not at all, mode 0600, on the disk before it is seen. The
/// folder is made where it is missing, mode 0700. Errors: internal, with errno.
Result<void> write_private_file(const std::filesystem::path& path, std::string_view text);

enum class Others { may_read, may_nothing };

/// The whole file; empty where there is none. Errors: internal (cannot be read), too_large,
/// malformed_input (a link, no file, somebody else's, or one that others may write or, where
/// they `may_nothing`, read).
Result<std::optional<std::string>> read_private_file(const std::filesystem::path& path,
                                                     std::size_t max_size,
                                                     Others others = Others::may_read);

} // namespace cps::agent
