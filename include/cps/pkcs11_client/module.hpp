#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"
#include "cps/base/secret.hpp"

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cps::pkcs11 {

/// A certificate on a token of the module, and what the token says of its PIN.
struct TokenCertificate {
    std::size_t index = 0; ///< names it in `Module::sign`
    Bytes der;
    Bytes id;                ///< CKA_ID
    std::string reader;      ///< CK_SLOT_INFO.slotDescription, trimmed (at most 64 octets)
    std::string token_label; ///< for people, never for decisions
    std::string serial;
    int tries_left = 3;   ///< 3, 2, 1, 0 from no flag, COUNT_LOW, FINAL_TRY, LOCKED
    bool pin_pad = false; ///< CKF_PROTECTED_AUTHENTICATION_PATH
};

/// One of them, by what was told of it.
struct Wanted {
    std::string reader;
    Bytes id;
    Bytes der;
};

/// What the card said to a PIN. A wrong one is data: who asked the person decides. A PIN that
/// the module finds too short or too long to try counts as wrong, too.
struct WrongPin {
    int tries_left = 0; ///< 1 to 3; never 0: a card with none left answers pin_blocked
};
using SignOutcome = std::variant<Bytes, WrongPin>;
/// Nothing: the card took the new PIN. Else the PIN or PUK offered before it was wrong.
using PinChangeOutcome = std::optional<WrongPin>;

/// Answers `true` when what it belongs to must stop (card removed, client gone, shutdown).
/// `fd` becomes readable at that moment, so that waits can end; -1: none.
struct CancelSignal {
    int fd = -1;
};

/// How long the worker may take before it is killed. Tests have less time.
struct Deadlines {
    /// Loading the module, C_Initialize and reading every certificate: some 80 APDUs with
    /// OpenSC and a CPS3, and whatever another program makes the card wait.
    std::chrono::milliseconds list{30'000};
    /// From the PIN's departure to the signature and the logout.
    std::chrono::milliseconds sign{30'000};
    /// Where a PIN is typed on the reader: 30 s for each of old PIN, new and again.
    std::chrono::milliseconds pad{85'000};
    /// C_Finalize after the answer: so long is the card waited for, then the worker is killed.
    std::chrono::milliseconds farewell{2'000};
};

/// One PKCS #11 module in a worker process of its own, through pkcs11-helper. The worker ends
/// after each signature, so that no verified PIN stays with it, and dies with this object; a
/// module that crashes, hangs or calls exit takes only the worker along. The next call starts
/// another one, unless one was started ahead. Blocking; one thread at a time.
class Module {
public:
    /// Starts nothing. @param worker_path,module_path absolute. @throws Error module_failed.
    Module(const std::string& worker_path, const std::string& module_path,
           Deadlines deadlines = {});
    ~Module();
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    /// Starts a worker ahead of its use, without waiting for it: it loads and initialises the
    /// module and sleeps until it is asked, with no PIN, no card and no transaction. One that
    /// ends meanwhile, or whose program or module was replaced on disk, gives way to another
    /// when it is needed. Does nothing while there is a worker, nor after one that ended while
    /// it waited: not before the next signature.
    void make_ready() noexcept;
    /// Ends the worker, if any. What was listed still counts.
    void end() noexcept;
    /// Reaps a worker that has ended while it waited.
    void tidy() noexcept;

    /// Every certificate that has a private key beside it or may have one, on every token.
    /// Errors: module_failed (did not load, crashed, missed its deadline), cancelled.
    Result<std::vector<TokenCertificate>> certificates(CancelSignal cancel);

    /// Reads a certificate again that was listed before. With our module it comes from the card
    /// in that reader itself, and alone: nothing else is read, no other card is asked, and
    /// card_removed says that it is not there. Other modules list as for `certificates`.
    Result<std::vector<TokenCertificate>> find(const Wanted& wanted, CancelSignal cancel);

    /// Log in with `pin`, sign, log out. One attempt, whatever happens: a PIN is never offered
    /// twice, and not at all to a card whose PIN is blocked. (OpenSC itself repeats a PIN that
    /// the card has just accepted if the card then wants it again; that costs no try.) The key
    /// is the one beside the very certificate that `certificates` told last under this index,
    /// wherever its card is now.
    /// @param pin without an octet 0; empty where it is typed on the reader's own keypad
    /// (pin_pad), and only there. @param digest_info the DER DigestInfo for CKM_RSA_PKCS.
    /// Errors: pin_blocked, card_removed, card_in_use, module_failed (native: CK_RV or errno),
    /// cancelled: an entry at the keypad ends by itself, later; pin_cancelled, pin_timeout (at
    /// the keypad); bad_argument (index, PIN or DigestInfo; nothing was sent to the card).
    Result<SignOutcome> sign(std::size_t index, const Pin& pin, ByteView digest_info,
                             CancelSignal cancel);

    /// How many tries the PUK has left; 3 where the module keeps no count. Errors: as `sign`;
    /// not_supported where the module cannot unblock a PIN: better known before one is typed.
    Result<int> puk_tries_left(std::size_t index, CancelSignal cancel);

    /// C_SetPIN, once. Both PINs empty: they are typed on the reader's own keypad. The worker
    /// ends afterwards. Errors: as `sign`; pin_cancelled, pin_timeout (at the keypad);
    /// not_supported (the module, the reader or the card has no such thing).
    Result<PinChangeOutcome> change_pin(std::size_t index, const Pin& old_pin,
                                        const Pin& new_pin, CancelSignal cancel);
    /// The PUK logs in, once, and C_InitPIN sets the new PIN. Otherwise as `change_pin`;
    /// pin_blocked says that the PUK is.
    Result<PinChangeOutcome> unblock_pin(std::size_t index, const Pin& puk, const Pin& new_pin,
                                         CancelSignal cancel);

    /// With the signature made last, the module has reset the card by itself: ours does. False
    /// after any other outcome, and before the first signature.
    bool card_was_reset() const noexcept;
    /// The module is ours, as far as the last signature told: it may wait for its use, since it
    /// holds no card meanwhile.
    bool may_wait() const noexcept;
    /// -1 while there is none.
    pid_t worker_pid() const noexcept;

private:
    struct Worker;
    Result<PinChangeOutcome> set_pin(bool unblock, std::size_t index, const Pin& offered,
                                     const Pin& new_pin, CancelSignal cancel);
    std::unique_ptr<Worker> worker_;
};

} // namespace cps::pkcs11
