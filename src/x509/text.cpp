#include "text.hpp"

#include "cps/crypto/openssl.hpp"

#include <algorithm>

namespace cps::x509 {
namespace {

constexpr std::size_t max_text = 256; // octets of UTF-8; RFC 5280 bounds names at 64 characters

/// C0, DEL, and C1, whose UTF-8 is C2 80 to C2 9F.
bool has_control(std::string_view utf8) noexcept
{
    for (std::size_t i = 0; i != utf8.size(); ++i) {
        const auto octet = static_cast<unsigned char>(utf8[i]);
        if (octet < 0x20 || octet == 0x7F)
            return true;
        if (octet == 0xC2 && i + 1 != utf8.size() &&
            static_cast<unsigned char>(utf8[i + 1]) < 0xA0)
            return true;
    }
    return false;
}

} // namespace

std::optional<std::string> utf8_of(const ASN1_STRING* string)
{
    const crypto::ossl::ErrorMark mark;
    unsigned char* raw = nullptr;
    const auto size = ASN1_STRING_to_UTF8(&raw, string);
    const crypto::ossl::UniqueOctets octets{raw};
    if (size <= 0 || static_cast<std::size_t>(size) > max_text)
        return std::nullopt;
    std::string text{raw, raw + size};
    if (has_control(text))
        return std::nullopt;
    return text;
}

} // namespace cps::x509
