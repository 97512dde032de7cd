#pragma once

#include "cps/base/unique_handle.hpp"

#include <pkcs11-helper-1.0/pkcs11h-core.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cps::pkcs11 {

struct LibraryTraits {
    using type = void*;
    static constexpr type empty = nullptr;
    static void close(type library) noexcept;
};
using Library = UniqueHandle<LibraryTraits>;

/// Tries left, as Cryptoki tells it: 3, 2, 1, 0 from no flag, COUNT_LOW, FINAL_TRY, LOCKED
/// (PKCS #11 v3.0, 3.3, CK_TOKEN_INFO).
int tries_left(CK_FLAGS token_flags) noexcept;
/// The same of the security officer's PIN, a CPS card's PUK.
int puk_tries_left(CK_FLAGS token_flags) noexcept;

/// What a slot and its token say about themselves at this moment.
struct TokenState {
    CK_SLOT_ID slot = 0;
    std::string reader; ///< CK_SLOT_INFO.slotDescription, trimmed
    std::string label;
    std::string serial;
    int tries_left = 0;
    bool pin_pad = false;
};

/// The module's own function list, beside pkcs11-helper, which does not show a token's flags.
/// The module must have been initialised through pkcs11-helper.
class Tokens {
public:
    /// Loads the module; a second load by somebody else yields the same one.
    /// @throws Error module_failed.
    explicit Tokens(const std::string& module_path);

    /// Whether it is the module that we build (own_module.hpp).
    bool are_our_own() const;
    /// Those with a token in them. @throws Error module_failed with the CK_RV.
    std::vector<CK_SLOT_ID> slots() const;
    /// Asks the card again each time. Nothing if no slot has that token.
    /// @throws Error module_failed with the CK_RV.
    std::optional<TokenState> state_of(const pkcs11h_token_id_s& token) const;
    /// Asks the card in that reader again, and no other. @throws Error card_removed,
    /// module_failed.
    TokenState state_in(const std::string& reader);
    /// Which slots the readers have that hold a card now: with our module for good, so that
    /// `state_in` need not look. No card is asked. @throws Error module_failed.
    void learn_slots();
    CK_FUNCTION_LIST& functions() const noexcept { return *functions_; }

    /// Ends the login to the token in that slot. False unless the module says that it did:
    /// pkcs11-helper (1.29) drops what C_Logout answers.
    bool log_out(CK_SLOT_ID slot) const noexcept;

private:
    Library library_;
    CK_FUNCTION_LIST_PTR functions_ = nullptr;
    std::map<std::string, CK_SLOT_ID> slots_; ///< by reader, for `state_in`
};

} // namespace cps::pkcs11
