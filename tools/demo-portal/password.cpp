#include "password.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

namespace cps::portal {
namespace {

// OWASP's first choice of 2023 for scrypt but for N, one step lower: 32 MiB, some 80 ms.
constexpr std::uint64_t cost = 1U << 15;
constexpr std::uint64_t block_size = 8;
constexpr std::uint64_t parallel = 1;
constexpr std::uint64_t max_memory = 64 * 1024 * 1024; // octets: what the three need, doubled
constexpr std::string_view prefix = "scrypt$15$8$1$";
constexpr std::size_t salt_size = 16; // octets
constexpr std::size_t hash_size = 32;

/// Empty when scrypt fails, which only want of memory makes it do.
std::string derive(std::string_view password, std::string_view salt)
{
    Bytes out(hash_size);
    const auto salted = octets(salt);
    if (EVP_PBE_scrypt(password.data(), password.size(), salted.data(), salted.size(), cost,
                       block_size, parallel, max_memory, out.data(), out.size()) != 1)
        return {};
    return std::string{text_of(out)};
}

std::string random_text(std::size_t size)
{
    Bytes out(size);
    if (RAND_bytes(out.data(), static_cast<int>(size)) != 1)
        throw Error{Errc::internal, "no random octets"};
    return std::string{text_of(out)};
}

} // namespace

PasswordHash PasswordHash::make(std::string_view password)
{
    PasswordHash made;
    made.salt_ = random_text(salt_size);
    made.hash_ = derive(password, made.salt_);
    if (made.hash_.empty())
        throw Error{Errc::internal, "scrypt failed"};
    return made;
}

PasswordHash PasswordHash::of_nobody()
{
    PasswordHash made;
    made.salt_ = random_text(salt_size);
    made.hash_ = random_text(hash_size);
    return made;
}

std::optional<PasswordHash> PasswordHash::parse(std::string_view text)
{
    if (!text.starts_with(prefix))
        return std::nullopt;
    text.remove_prefix(prefix.size());
    const auto cut = text.find('$');
    if (cut == std::string_view::npos)
        return std::nullopt;
    const auto salt = from_base64url(text.substr(0, cut));
    const auto hash = from_base64url(text.substr(cut + 1));
    if (!salt || salt->size() != salt_size || !hash || hash->size() != hash_size)
        return std::nullopt;
    PasswordHash parsed;
    parsed.salt_ = text_of(*salt);
    parsed.hash_ = text_of(*hash);
    return parsed;
}

bool PasswordHash::matches(std::string_view password) const
{
    const auto derived = derive(password, salt_);
    return !derived.empty() && CRYPTO_memcmp(derived.data(), hash_.data(), hash_size) == 0;
}

std::string PasswordHash::str() const
{
    return std::string{prefix} + to_base64url(octets(salt_)) + '$' +
           to_base64url(octets(hash_));
}

} // namespace cps::portal
