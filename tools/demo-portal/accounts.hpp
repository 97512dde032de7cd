#pragma once

#include "password.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cps::portal {

/// Whoever may enter with a password; the card's identifiers say whose card opens features.
struct Account {
    std::string login;
    std::string name; ///< shown on the page
    PasswordHash password;
    /// National identifiers: the holder's own and his delegates'. Never empty, for an empty
    /// list would mean any card.
    std::vector<std::string> card_ids;
};

/// The accounts file: TOML, one `[[account]]` each. Immutable once read.
class Accounts {
public:
    /// @throws Error bad_argument for a file that cannot be read, or an account without
    /// login, password or identifier, or with another's login.
    static Accounts load(const std::filesystem::path& file);

    const Account* find(std::string_view login) const;
    /// What to check a password against: the account's hash, or nobody's.
    const PasswordHash& hash_for(std::string_view login) const;

private:
    std::map<std::string, Account, std::less<>> accounts_;
    PasswordHash nobody_ = PasswordHash::of_nobody();
};

} // namespace cps::portal
