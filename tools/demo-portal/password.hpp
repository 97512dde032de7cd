#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cps::portal {

/// Longest password looked at, in octets: enough for any sentence, little work for scrypt.
inline constexpr std::size_t max_password_size = 256;

/// A password as it is kept: scrypt (RFC 7914) of the password under its own random salt.
/// Text form: `scrypt$<log2 N>$<r>$<p>$<salt>$<hash>`, both base64url.
class PasswordHash {
public:
    /// @throws Error internal.
    static PasswordHash make(std::string_view password);
    static std::optional<PasswordHash> parse(std::string_view text);
    /// A hash that no password has, as costly as the others: what an unknown account is
    /// checked against, so that time does not tell who has an account.
    static PasswordHash of_nobody();

    /// Some 80 ms. Compares in constant time.
    bool matches(std::string_view password) const;
    std::string str() const;

private:
    std::string salt_;
    std::string hash_;
};

} // namespace cps::portal
