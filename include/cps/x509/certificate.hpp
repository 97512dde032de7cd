#pragma once

#include "cps/base/bytes.hpp"
#include "cps/base/clock.hpp"
#include "cps/base/error.hpp"
#include "cps/crypto/digest.hpp"
#include "cps/crypto/public_key.hpp"

#include <memory>
#include <string>
#include <vector>

struct x509_st; // OpenSSL's X509

namespace cps::x509 {

/// Largest certificate that is looked at; a card's has about 2,200 octets.
inline constexpr std::size_t max_certificate_size = 16 * 1024; // octets

/// One X.509 certificate (RFC 5280), parsed. Immutable; copies share it. Thread-safe.
class Certificate {
public:
    /// @param der the whole input, nothing after it. Errors: malformed_input, too_large.
    static Result<Certificate> from_der(ByteView der);
    /// One that OpenSSL has parsed already, held to the same rules; shared with its owner, who
    /// only reads it.
    static Result<Certificate> from_native(x509_st& parsed);
    /// Every certificate of a PEM text, in its order; anything else in it is passed over.
    static Result<std::vector<Certificate>> from_pem(std::string_view pem);

    const Bytes& der() const noexcept;
    crypto::Sha256 sha256() const;
    std::string pem() const;
    EpochSeconds not_before() const;
    EpochSeconds not_after() const;
    /// Errors: not_supported for a key that OpenSSL cannot decode.
    Result<crypto::PublicKey> key() const;

    /// KeyUsage says digitalSignature; false where the extension is missing (RFC
    /// 5280, 4.2.1.3).
    bool allows_digital_signature() const;
    /// ExtendedKeyUsage names clientAuth; false where the extension is missing.
    bool allows_client_authentication() const;
    /// Fit for a card's login: both of the above and not a CA. Says nothing of trust.
    bool is_authentication_certificate() const;
    /// Dotted OIDs of certificatePolicies; empty where there are none.
    std::vector<std::string> policies() const;
    /// One line, RFC 4514 form, for people.
    std::string subject() const;
    std::string issuer() const;

    x509_st* native() const noexcept;

private:
    struct Parsed;
    explicit Certificate(std::shared_ptr<const Parsed> parsed) noexcept;
    static Result<Certificate> from_parts(Bytes der, std::shared_ptr<x509_st> x509);
    std::shared_ptr<const Parsed> parsed_;
};

} // namespace cps::x509
