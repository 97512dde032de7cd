#pragma once

#include "cps/web/built_in.hpp"

namespace cps::portal {

/// Generated from web/ and src/web/ by src/web/embed.py.
std::span<const web::BuiltInFile> built_in_files() noexcept;

} // namespace cps::portal
