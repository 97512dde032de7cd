#pragma once

#include <span>
#include <string_view>

namespace cps::portal {

struct BuiltInFile {
    std::string_view name;
    std::string_view contents;
};
/// Generated from web/ and src/web/ by embed.py.
std::span<const BuiltInFile> built_in_files() noexcept;

} // namespace cps::portal
