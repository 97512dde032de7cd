#pragma once

#include "session.hpp"

#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"
#include "cps/crypto/public_key.hpp"
#include "cps/pcsc/snapshot.hpp"
#include "cps/pkcs11_client/module.hpp"
#include "cps/x509/certificate.hpp"
#include "cps/x509/holder.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cps::agent {

struct AuthenticationCertificate {
    x509::Certificate certificate;
    x509::Holder holder;
    std::optional<crypto::PublicKey> key; ///< nothing: none that OpenSSL can read
};

/// By key usage, never by label; in date or not. Nothing: it is for something else.
std::optional<AuthenticationCertificate>
authentication_certificate(const pkcs11::TokenCertificate& candidate);

/// The certificate chosen last, parsed: a renewal brings the same octets again.
class LastChosen {
public:
    std::optional<AuthenticationCertificate> read(const pkcs11::TokenCertificate& candidate);

private:
    std::optional<AuthenticationCertificate> last_;
};

/// As the dialogs and the status page say it.
std::string full_name(const x509::Holder& holder);

/// The certificate that logs in, with all that was read of it.
struct Chosen {
    pkcs11::TokenCertificate on_token;
    x509::Certificate certificate;
    x509::Holder holder;
    crypto::PublicKey key;
};

/// In date at `at`, the portal's time, since workstations' clocks are
/// wrong. Errors: card_unsupported, certificate_expired, certificate_missing.
Result<Chosen> choose(const std::vector<pkcs11::TokenCertificate>& found, EpochSeconds at,
                      LastChosen& last);

/// That card, as the reader monitor knew it when the module began to look.
CardInReader card_of(const Chosen& chosen, const pcsc::Snapshot& before);

} // namespace cps::agent
