#include "language.hpp"

#include <cstdlib>

namespace cps::ctl {

std::string_view language()
{
    for (const auto* const name : {"LC_ALL", "LC_MESSAGES", "LANG"})
        if (const char* const value = std::getenv(name); value != nullptr && *value != 0)
            return std::string_view{value}.starts_with("fr") ? "fr" : "en";
    return "en";
}

} // namespace cps::ctl
