#include "token.hpp"

#include "refusal.hpp"

#include "cps/base/error.hpp"
#include "cps/base/own_module.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace cps::pkcs11 {
namespace {

/// Most slots that we look at; the vendor's module has 16, OpenSC's four a reader.
constexpr std::size_t max_slots = 128;

/// A fixed field padded with blanks, as pkcs11-helper trims it.
template <std::size_t Size>
std::string_view trimmed(const unsigned char (&field)[Size])
{
    std::string_view text{reinterpret_cast<const char*>(field), Size};
    text = text.substr(0, text.find('\0'));
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

bool same(const CK_TOKEN_INFO& info, const pkcs11h_token_id_s& token)
{
    return trimmed(info.manufacturerID) == token.manufacturerID &&
           trimmed(info.model) == token.model &&
           trimmed(info.serialNumber) == token.serialNumber &&
           trimmed(info.label) == token.label;
}

TokenState told(CK_SLOT_ID slot, std::string reader, const CK_TOKEN_INFO& about_token)
{
    return {slot,
            std::move(reader),
            std::string{trimmed(about_token.label)},
            std::string{trimmed(about_token.serialNumber)},
            tries_left(about_token.flags),
            (about_token.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0};
}

} // namespace

void LibraryTraits::close(type library) noexcept
{
    ::dlclose(library);
}

int tries_left(CK_FLAGS token_flags) noexcept
{
    if ((token_flags & CKF_USER_PIN_LOCKED) != 0)
        return 0;
    if ((token_flags & CKF_USER_PIN_FINAL_TRY) != 0)
        return 1;
    return (token_flags & CKF_USER_PIN_COUNT_LOW) != 0 ? 2 : 3;
}

int puk_tries_left(CK_FLAGS token_flags) noexcept
{
    if ((token_flags & CKF_SO_PIN_LOCKED) != 0)
        return 0;
    if ((token_flags & CKF_SO_PIN_FINAL_TRY) != 0)
        return 1;
    return (token_flags & CKF_SO_PIN_COUNT_LOW) != 0 ? 2 : 3;
}

Tokens::Tokens(const std::string& module_path)
    : library_{::dlopen(module_path.c_str(), RTLD_NOW | RTLD_LOCAL)}
{
    if (!library_)
        throw Error{Errc::module_failed, "the PKCS #11 module does not load"};
    const auto get_list = reinterpret_cast<CK_RV (*)(CK_FUNCTION_LIST_PTR_PTR)>(
        ::dlsym(library_.get(), "C_GetFunctionList"));
    if (get_list == nullptr)
        throw Error{Errc::module_failed, "that is no PKCS #11 module"};
    const auto rv = get_list(&functions_);
    if (rv != CKR_OK || functions_ == nullptr)
        throw Error{Errc::module_failed, "the PKCS #11 module has no functions",
                    static_cast<long>(rv)};
}

bool Tokens::are_our_own() const
{
    CK_INFO about{};
    return functions_->C_GetInfo(&about) == CKR_OK &&
           trimmed(about.manufacturerID) == own_module_manufacturer &&
           trimmed(about.libraryDescription) == own_module_description;
}

std::vector<CK_SLOT_ID> Tokens::slots() const
{
    std::vector<CK_SLOT_ID> found(max_slots);
    CK_ULONG count = found.size();
    const auto rv = functions_->C_GetSlotList(CK_TRUE, found.data(), &count);
    if (rv != CKR_OK || count > found.size())
        throw Error{Errc::module_failed, "the slots cannot be listed", static_cast<long>(rv)};
    found.resize(count);
    return found;
}

std::optional<TokenState> Tokens::state_of(const pkcs11h_token_id_s& token) const
{
    for (const auto slot : slots()) {
        CK_SLOT_INFO about_slot{};
        CK_TOKEN_INFO about_token{};
        if (functions_->C_GetTokenInfo(slot, &about_token) != CKR_OK ||
            !same(about_token, token) || functions_->C_GetSlotInfo(slot, &about_slot) != CKR_OK)
            continue;
        return told(slot, std::string{trimmed(about_slot.slotDescription)}, about_token);
    }
    return std::nullopt;
}

void Tokens::learn_slots()
{
    for (const auto slot : slots()) {
        CK_SLOT_INFO about{};
        if (functions_->C_GetSlotInfo(slot, &about) == CKR_OK)
            slots_[std::string{trimmed(about.slotDescription)}] = slot;
    }
}

TokenState Tokens::state_in(const std::string& reader)
{
    if (!slots_.contains(reader))
        learn_slots();
    const auto slot = slots_.find(reader);
    if (slot == slots_.end())
        throw card_gone();
    CK_TOKEN_INFO about{};
    if (const auto rv = functions_->C_GetTokenInfo(slot->second, &about); rv != CKR_OK)
        throw failure(rv, true);
    return told(slot->second, reader, about);
}

bool Tokens::log_out(CK_SLOT_ID slot) const noexcept
{
    // A login is to the token, and every session of the process ends it.
    CK_SESSION_HANDLE session = 0;
    if (functions_->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session) !=
        CKR_OK)
        return false;
    const bool done = functions_->C_Logout(session) == CKR_OK;
    functions_->C_CloseSession(session);
    return done;
}

} // namespace cps::pkcs11
