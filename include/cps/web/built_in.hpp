#pragma once

#include <span>
#include <string_view>

namespace cps::web {

/// A file that a program carries within it.
struct BuiltInFile {
    std::string_view name;
    std::string_view contents;
};

/// The person's status page (src/web/status/): index.html, status.css, status.js, words.js.
std::span<const BuiltInFile> status_page() noexcept;

} // namespace cps::web
