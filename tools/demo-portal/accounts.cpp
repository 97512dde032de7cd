#include "accounts.hpp"

#include "cps/base/error.hpp"

#include <toml++/toml.h>

#include <algorithm>

namespace cps::portal {
namespace {

Account read_account(const toml::table& table)
{
    const auto hash = PasswordHash::parse(table["password"].value_or(std::string_view{}));
    Account account{table["login"].value_or(std::string{}),
                    table["name"].value_or(std::string{}),
                    hash.value_or(PasswordHash::of_nobody()),
                    {}};
    if (account.login.empty() || !hash)
        throw Error{Errc::bad_argument, "an account has no login or no password hash"};
    if (const auto* ids = table["card_ids"].as_array())
        for (const auto& id : *ids)
            account.card_ids.push_back(id.value_or(std::string{}));
    if (account.card_ids.empty() || std::ranges::count(account.card_ids, std::string{}) != 0)
        throw Error{Errc::bad_argument, "an account names no card that would be its own"};
    return account;
}

} // namespace

Accounts Accounts::load(const std::filesystem::path& file)
{
    Accounts accounts;
    try {
        const auto document = toml::parse_file(file.string());
        const auto* list = document["account"].as_array();
        if (list == nullptr)
            throw Error{Errc::bad_argument, "the accounts file holds no [[account]]"};
        for (const auto& entry : *list) {
            const auto* table = entry.as_table();
            if (table == nullptr)
                throw Error{Errc::bad_argument, "the accounts file holds what is no account"};
            auto account = read_account(*table);
            const auto login = account.login;
            if (!accounts.accounts_.emplace(login, std::move(account)).second)
                throw Error{Errc::bad_argument, "two accounts have one login"};
        }
    } catch (const toml::parse_error&) {
        throw Error{Errc::bad_argument, "the accounts file cannot be read as TOML"};
    }
    return accounts;
}

const Account* Accounts::find(std::string_view login) const
{
    const auto found = accounts_.find(login);
    return found == accounts_.end() ? nullptr : &found->second;
}

const PasswordHash& Accounts::hash_for(std::string_view login) const
{
    const auto* account = find(login);
    return account == nullptr ? nobody_ : account->password;
}

} // namespace cps::portal
