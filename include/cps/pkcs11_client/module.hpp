#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"
#include "cps/base/secret.hpp"

#include <sys/types.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace cps::pkcs11 {

/// A certificate on a token of the module, and what the token says of its PIN.
struct TokenCertificate {
    std::size_t index = 0; ///< names it in `Module::sign`
    Bytes der;
    std::string reader;      ///< CK_SLOT_INFO.slotDescription, trimmed (at most 64 octets)
    std::string token_label; ///< for people, never for decisions
    std::string serial;
    int tries_left = 3;   ///< 3, 2, 1, 0 from no flag, COUNT_LOW, FINAL_TRY, LOCKED
    bool pin_pad = false; ///< CKF_PROTECTED_AUTHENTICATION_PATH
};

/// What the card said to a PIN. A wrong one is data: who asked the person decides.
struct WrongPin {
    int tries_left = 0;
};
using SignOutcome = std::variant<Bytes, WrongPin>;

/// Answers `true` when what it belongs to must stop (card removed, client gone, shutdown).
/// `fd` becomes readable at that moment, so that waits can end; -1: none.
struct CancelSignal {
    int fd = -1;
};

/// One PKCS #11 module in a worker process of its own, through pkcs11-helper. The worker dies
/// with this object; a module that crashes, hangs or calls exit takes only the worker along.
/// Blocking; one thread at a time.
class Module {
public:
    /// Starts the worker. @param module_path absolute. @throws Error module_failed.
    Module(const std::string& worker_path, const std::string& module_path);
    ~Module();
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    /// Every certificate that has a private key beside it or may have one, on every token.
    /// Errors: module_failed (did not load, crashed, missed its deadline), cancelled.
    Result<std::vector<TokenCertificate>> certificates(CancelSignal cancel);

    /// Log in with `pin`, sign, log out. One attempt, whatever happens: a PIN is never offered
    /// twice. @param digest_info the DER DigestInfo for CKM_RSA_PKCS.
    /// Errors: pin_blocked, card_removed, card_in_use, module_failed, cancelled.
    Result<SignOutcome> sign(std::size_t index, const Pin& pin, ByteView digest_info,
                             CancelSignal cancel);

    pid_t worker_pid() const noexcept;

private:
    struct Worker;
    std::unique_ptr<Worker> worker_;
};

} // namespace cps::pkcs11
