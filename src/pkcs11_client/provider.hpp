#pragma once

#include "key_session.hpp"
#include "token.hpp"

#include "cps/base/bytes.hpp"
#include "cps/base/error.hpp"
#include "cps/base/secret.hpp"
#include "cps/base/unique_handle.hpp"
#include "cps/pkcs11_client/module.hpp"

#include <pkcs11-helper-1.0/pkcs11h-certificate.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cps::pkcs11 {

/// The module, driven through pkcs11-helper inside the worker. pkcs11-helper is one for the
/// whole process, so there is one of these. Blocking, no deadlines of its own: the agent kills
/// the process. One thread.
class Provider {
public:
    /// Loads and initialises the module. @throws Error module_failed with the CK_RV.
    explicit Provider(const std::string& module_path);
    /// C_Finalize.
    ~Provider();
    Provider(const Provider&) = delete;
    Provider& operator=(const Provider&) = delete;

    /// Reads every token anew. Certificates above our limits are left out.
    /// @throws Error module_failed.
    std::vector<TokenCertificate> certificates();

    /// As `certificates`; with our module that certificate in that reader alone, which the card
    /// itself is asked for. @throws Error module_failed; card_removed with our module, when the
    /// card there does not have it.
    std::vector<TokenCertificate> find(const Wanted& wanted);

    /// What is better done before `sign` is called: nobody waits yet.
    void prepare();

    /// With the signature made last, the module's logout has reset the card: ours does.
    bool card_was_reset() const noexcept { return card_was_reset_; }

    /// One login with `pin`, which is wiped whatever happens, one signature, one logout.
    /// @param certificate one that `certificates` or `find` told last.
    /// @throws Error pin_blocked, card_removed, not_supported, module_failed.
    SignOutcome sign(ByteView certificate, Pin pin, ByteView digest_info);

    /// @throws Error as `sign`; not_supported where the module cannot unblock.
    int puk_tries_left(ByteView certificate);
    /// One attempt. Both PINs empty: they are typed on the reader. Nothing: it is done.
    /// @throws Error as `sign`; pin_cancelled, pin_timeout, not_supported.
    std::optional<WrongPin> change_pin(ByteView certificate, const Pin& old_pin,
                                       const Pin& new_pin);
    /// The same by the PUK. @throws Error pin_blocked when the PUK is.
    std::optional<WrongPin> unblock_pin(ByteView certificate, const Pin& puk,
                                        const Pin& new_pin);

private:
    struct IdTraits {
        using type = pkcs11h_certificate_id_t;
        static constexpr type empty = nullptr;
        static void close(type id) noexcept;
    };
    using CertificateId = UniqueHandle<IdTraits>;

    struct OnToken {
        const pkcs11h_token_id_s& token;
        TokenState state;
    };
    OnToken token_of(ByteView certificate) const;
    /// As it was listed, if that was a moment ago; else the token is asked.
    std::optional<TokenState> state_of(pkcs11h_token_id_t token) const;
    const pkcs11h_certificate_id_s& listed(ByteView certificate) const;
    /// Nothing: logged in. @throws Error.
    std::optional<WrongPin> log_in(pkcs11h_token_id_t token, Pin pin, int tries_before);
    Bytes sign_logged_in(const pkcs11h_certificate_id_s& id, ByteView digest_info);
    Error failed(const pkcs11h_token_id_s& token, CK_RV rv) const;

    Tokens tokens_;
    bool is_our_own_ = false;
    bool card_was_reset_ = false;
    std::optional<KeySession> key_; ///< what `find` told last, with our module
    std::vector<CertificateId> listed_;
    struct Told {
        pkcs11h_token_id_t token = nullptr; ///< of a certificate in `listed_`
        std::optional<TokenState> state;
        std::chrono::steady_clock::time_point at;
    };
    Told told_; ///< of the token listed last
};

} // namespace cps::pkcs11
