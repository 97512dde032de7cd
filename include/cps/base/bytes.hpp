#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace cps {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// The octets of a text, uncopied.
inline ByteView octets(std::string_view text) noexcept
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Octets seen as text, uncopied; nothing is checked.
inline std::string_view text_of(ByteView bytes) noexcept
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes copy_of(ByteView bytes)
{
    return {bytes.begin(), bytes.end()};
}

} // namespace cps
