#include "cps/x509/certificate.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/openssl.hpp"
#include "der.hpp"
#include "time.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

namespace cps::x509 {

namespace ossl = crypto::ossl;

/// All that is asked for often is read once: decoding costs more than ten verifications.
struct Certificate::Parsed {
    Bytes der;
    std::shared_ptr<X509> x509; ///< counted by OpenSSL itself; see from_native
    crypto::Sha256 sha256;
    EpochSeconds not_before;
    EpochSeconds not_after;
    Result<crypto::PublicKey> key;
};

namespace {

constexpr std::size_t max_pem_size = 4 * 1024 * 1024; // octets: every anchor of IGC-Santé
constexpr std::size_t max_certificates = 256;         // in one PEM text
constexpr std::size_t pem_line = 64;                  // characters (RFC 7468, 2)
constexpr std::size_t max_oid_text = 128;             // characters; longer ones are cut

Error malformed() noexcept
{
    return {Errc::malformed_input, "not a certificate in DER"};
}

using UniquePolicies =
    std::unique_ptr<CERTIFICATEPOLICIES, ossl::Deleter<CERTIFICATEPOLICIES_free>>;

/// RFC 5280, 4.2: no extension twice. Which one would count is anybody's guess.
bool repeats_an_extension(const X509* certificate)
{
    const auto count = X509_get_ext_count(certificate);
    for (int i = 0; i < count; ++i) {
        const auto* object = X509_EXTENSION_get_object(X509_get_ext(certificate, i));
        if (X509_get_ext_by_OBJ(certificate, object, i) != -1)
            return true;
    }
    return false;
}

Result<crypto::PublicKey> key_of(const X509* certificate)
{
    auto* key = X509_get0_pubkey(certificate);
    if (key == nullptr || EVP_PKEY_up_ref(key) != 1)
        return Error{Errc::not_supported, "the certificate's key is of an unknown kind"};
    return crypto::PublicKey{std::shared_ptr<EVP_PKEY>{ossl::UniquePkey{key}}};
}

std::string text_of(const X509_NAME* name)
{
    const ossl::UniqueBio out{BIO_new(BIO_s_mem())};
    // UTF-8 stays as it is; control characters are escaped.
    constexpr unsigned long flags = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(4);
    static_assert(ASN1_STRFLGS_ESC_MSB == 4);
    if (!out || X509_NAME_print_ex(out.get(), name, 0, flags) < 0)
        return {};
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

} // namespace

Certificate::Certificate(std::shared_ptr<const Parsed> parsed) noexcept
    : parsed_{std::move(parsed)}
{
}

Result<Certificate> Certificate::from_der(ByteView der)
{
    if (der.size() > max_certificate_size)
        return Error{Errc::too_large, "certificate above 16 KiB"};
    if (!is_one_der_element(der))
        return malformed();

    const ossl::ErrorMark mark;
    const auto* in = der.data();
    ossl::UniqueX509 x509{d2i_X509(nullptr, &in, static_cast<long>(der.size()))};
    if (!x509 || in != der.data() + der.size())
        return malformed();
    return from_parts(copy_of(der), std::move(x509));
}

Result<Certificate> Certificate::from_native(x509_st& parsed)
{
    const ossl::ErrorMark mark;
    unsigned char* raw = nullptr;
    const auto size = i2d_X509(&parsed, &raw);
    const ossl::UniqueOctets owned{raw};
    if (size <= 0)
        return malformed();
    const ByteView der{raw, static_cast<std::size_t>(size)};
    if (der.size() > max_certificate_size)
        return Error{Errc::too_large, "certificate above 16 KiB"};
    if (!is_one_der_element(der) || X509_up_ref(&parsed) != 1)
        return malformed();
    return from_parts(copy_of(der), ossl::UniqueX509{&parsed});
}

/// What both have in common: rules and facts of a certificate that is parsed.
Result<Certificate> Certificate::from_parts(Bytes der, std::shared_ptr<x509_st> x509)
{
    if (repeats_an_extension(x509.get()))
        return malformed();
    const auto not_before = time_of(X509_get0_notBefore(x509.get()));
    const auto not_after = time_of(X509_get0_notAfter(x509.get()));
    // Reads the extensions now, in this thread; afterwards they are only looked at.
    const auto flags = X509_get_extension_flags(x509.get());
    if (!not_before || !not_after || (flags & EXFLAG_INVALID) != 0)
        return malformed();

    auto key = key_of(x509.get());
    const auto sha256 = crypto::sha256(der);
    return Certificate{std::make_shared<const Parsed>(Parsed{
        std::move(der), std::move(x509), sha256, *not_before, *not_after, std::move(key)})};
}

Result<std::vector<Certificate>> Certificate::from_pem(std::string_view pem)
{
    if (pem.size() > max_pem_size)
        return Error{Errc::too_large, "PEM text above 4 MiB"};
    const ossl::ErrorMark mark;
    const ossl::UniqueBio in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    if (!in)
        throw std::bad_alloc{};

    std::vector<Certificate> certificates;
    while (certificates.size() <= max_certificates) { // each turn reads on in the text
        char* raw_name = nullptr;
        char* raw_header = nullptr;
        unsigned char* raw_data = nullptr;
        long size = 0;
        if (PEM_read_bio(in.get(), &raw_name, &raw_header, &raw_data, &size) != 1) {
            if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
                return certificates;
            return Error{Errc::malformed_input, "not PEM"};
        }
        const ossl::UniqueText name{raw_name};
        const ossl::UniqueText header{raw_header};
        const ossl::UniqueOctets data{raw_data};
        if (std::string_view{name.get()} != PEM_STRING_X509)
            continue;
        auto certificate = from_der({data.get(), static_cast<std::size_t>(size)});
        if (!certificate)
            return certificate.error();
        certificates.push_back(std::move(*certificate));
    }
    return Error{Errc::too_large, "more than 256 certificates in one PEM text"};
}

const Bytes& Certificate::der() const noexcept
{
    return parsed_->der;
}

crypto::Sha256 Certificate::sha256() const
{
    return parsed_->sha256;
}

std::string Certificate::pem() const
{
    const auto base64 = to_base64(parsed_->der);
    std::string text = "-----BEGIN CERTIFICATE-----\n";
    for (std::size_t i = 0; i < base64.size(); i += pem_line) {
        text.append(base64, i, pem_line);
        text += '\n';
    }
    return text + "-----END CERTIFICATE-----\n";
}

EpochSeconds Certificate::not_before() const
{
    return parsed_->not_before;
}

EpochSeconds Certificate::not_after() const
{
    return parsed_->not_after;
}

Result<crypto::PublicKey> Certificate::key() const
{
    return parsed_->key;
}

bool Certificate::allows_digital_signature() const
{
    return (X509_get_extension_flags(native()) & EXFLAG_KUSAGE) != 0 &&
           (X509_get_key_usage(native()) & KU_DIGITAL_SIGNATURE) != 0;
}

bool Certificate::allows_client_authentication() const
{
    return (X509_get_extension_flags(native()) & EXFLAG_XKUSAGE) != 0 &&
           (X509_get_extended_key_usage(native()) & XKU_SSL_CLIENT) != 0;
}

bool Certificate::is_authentication_certificate() const
{
    // The flag is BasicConstraints' own word; X509_check_ca overlooks it where KeyUsage
    // disagrees, and sees CAs of version 1, which have no such flag.
    return allows_digital_signature() && allows_client_authentication() &&
           (X509_get_extension_flags(native()) & EXFLAG_CA) == 0 &&
           X509_check_ca(native()) == 0;
}

std::vector<std::string> Certificate::policies() const
{
    const ossl::ErrorMark mark;
    const UniquePolicies found{static_cast<CERTIFICATEPOLICIES*>(
        X509_get_ext_d2i(native(), NID_certificate_policies, nullptr, nullptr))};
    std::vector<std::string> oids;
    for (int i = 0; found && i < sk_POLICYINFO_num(found.get()); ++i) {
        std::array<char, max_oid_text> text{};
        const auto* policy = sk_POLICYINFO_value(found.get(), i);
        if (OBJ_obj2txt(text.data(), text.size(), policy->policyid, 1) > 0)
            oids.emplace_back(text.data());
    }
    return oids;
}

std::string Certificate::subject() const
{
    return text_of(X509_get_subject_name(native()));
}

std::string Certificate::issuer() const
{
    return text_of(X509_get_issuer_name(native()));
}

x509_st* Certificate::native() const noexcept
{
    return parsed_->x509.get();
}

} // namespace cps::x509
