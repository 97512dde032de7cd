#pragma once

#include "cryptoki.hpp"

#include <algorithm>
#include <string_view>

namespace cps::p11 {

/// A blank-padded field: `text` cut at a character's end where it does not fit (UTF-8).
template <std::size_t size>
void fill(unsigned char (&field)[size], std::string_view text)
{
    if (text.size() > size) {
        auto end = size;
        while (end != 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
            --end;
        text = text.substr(0, end);
    }
    const auto rest = std::copy(text.begin(), text.end(), field);
    std::fill(rest, field + size, static_cast<unsigned char>(' '));
}

} // namespace cps::p11
