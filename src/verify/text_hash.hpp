#pragma once

#include <functional>
#include <string_view>

namespace cps::verify {

/// Of texts, owned or not.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept
    {
        return std::hash<std::string_view>{}(text);
    }
};

} // namespace cps::verify
