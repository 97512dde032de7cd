#include "pki/certificate.hpp"

#include <openssl/pem.h>

#include <array>
#include <chrono>

namespace cps::pki {
namespace {

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>>;

constexpr long version_3 = 2; // RFC 5280, 4.1.2.1

void add(X509* certificate, const Extension& extension)
{
    const ObjectPtr oid{must(OBJ_txt2obj(extension.oid.c_str(), 1))};
    const OctetsPtr value{must(ASN1_OCTET_STRING_new())};
    must(ASN1_OCTET_STRING_set(value.get(), extension.value.data(),
                               static_cast<int>(extension.value.size())));
    const ExtensionPtr made{must(X509_EXTENSION_create_by_OBJ(
        nullptr, oid.get(), extension.critical ? 1 : 0, value.get()))};
    must(X509_add_ext(certificate, made.get(), -1));
}

void set_serial(X509* certificate, ByteView serial)
{
    const BignumPtr number{
        must(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr))};
    const IntegerPtr integer{must(BN_to_ASN1_INTEGER(number.get(), nullptr))};
    must(X509_set_serialNumber(certificate, integer.get()));
}

std::shared_ptr<X509> adopt(X509* certificate)
{
    if (certificate == nullptr)
        throw Error{Errc::malformed_input, "not a certificate"};
    return {certificate, FreeWith<X509_free>{}};
}

} // namespace

std::shared_ptr<X509> sign_certificate(const Draft& draft, const KeyPtr& key,
                                       const Authority* issuer)
{
    auto certificate = adopt(must(X509_new()));
    must(X509_set_version(certificate.get(), version_3));
    set_serial(certificate.get(), draft.serial);
    const auto subject = to_openssl(draft.subject);
    must(X509_set_subject_name(certificate.get(), subject.get()));
    must(X509_set_issuer_name(
        certificate.get(),
        issuer == nullptr ? subject.get() : X509_get_subject_name(issuer->certificate.get())));
    must(X509_set1_notBefore(certificate.get(), to_openssl(draft.not_before).get()));
    must(X509_set1_notAfter(certificate.get(), to_openssl(draft.not_after).get()));
    must(X509_set_pubkey(certificate.get(), key.get()));
    for (const auto& extension : draft.extensions)
        add(certificate.get(), extension);

    const auto* digest = draft.digest == SigningDigest::sha1 ? EVP_sha1() : EVP_sha256();
    must(X509_sign(certificate.get(), issuer == nullptr ? key.get() : issuer->key.get(),
                   digest));
    // Parsed again, so that what is held is what others will read.
    return certificate_from_der(der_of(i2d_X509, certificate.get()));
}

Bytes key_identifier(const KeyPtr& key)
{
    X509_PUBKEY* holder = nullptr;
    must(X509_PUBKEY_set(&holder, key.get()));
    const std::unique_ptr<X509_PUBKEY, FreeWith<X509_PUBKEY_free>> owned{holder};
    const unsigned char* bits = nullptr;
    int size = 0;
    must(X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, holder));
    Bytes id(20);
    must(EVP_Digest(bits, static_cast<std::size_t>(size), id.data(), nullptr, EVP_sha1(),
                    nullptr));
    return id;
}

TimePtr to_openssl(EpochSeconds time)
{
    return TimePtr{must(ASN1_TIME_set(nullptr, static_cast<time_t>(to_number(time))))};
}

std::string certificate_pem(X509* certificate)
{
    const BioPtr memory{must(BIO_new(BIO_s_mem()))};
    must(PEM_write_bio_X509(memory.get(), certificate));
    char* text = nullptr;
    const auto size = must(BIO_get_mem_data(memory.get(), &text));
    return {text, static_cast<std::size_t>(size)};
}

std::shared_ptr<X509> certificate_from_pem(std::string_view pem)
{
    const BioPtr memory{must(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())))};
    return adopt(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
}

std::shared_ptr<X509> certificate_from_der(ByteView der)
{
    const auto* cursor = der.data();
    return adopt(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
}

EpochSeconds years_after(EpochSeconds time, int years)
{
    using namespace std::chrono;
    const auto day = floor<days>(time);
    auto date = year_month_day{day} + std::chrono::years{years};
    if (!date.ok())
        date = date.year() / date.month() / last;
    return sys_days{date} + (time - day);
}

} // namespace cps::pki
