#include "object.hpp"

#include "mechanism.hpp"

#include "cps/crypto/digest.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace cps::p11 {
namespace {

// Of PKCS #11 v2.40 and later; the header stops short of them.
constexpr CK_ATTRIBUTE_TYPE attribute_copyable = 0x171;
constexpr CK_ATTRIBUTE_TYPE attribute_destroyable = 0x172;
constexpr CK_ATTRIBUTE_TYPE attribute_public_key_info = 0x129;
constexpr CK_ULONG category_token_user = 1; // CK_CERTIFICATE_CATEGORY_TOKEN_USER

template <class T>
Bytes raw(const T& value)
{
    Bytes octets(sizeof value);
    std::memcpy(octets.data(), &value, sizeof value);
    return octets;
}

Bytes number(CK_ULONG value)
{
    return raw(value);
}

Bytes flag(bool value)
{
    return {static_cast<std::uint8_t>(value ? CK_TRUE : CK_FALSE)};
}

Bytes text(std::string_view value)
{
    return copy_of(octets(value));
}

Object make_object(CK_OBJECT_CLASS object_class, std::string_view label, bool is_private)
{
    Object object;
    object.object_class = object_class;
    object.is_private = is_private;
    object.attributes = {
        {CKA_CLASS, number(object_class)}, {CKA_TOKEN, flag(true)},
        {CKA_PRIVATE, flag(is_private)},   {CKA_MODIFIABLE, flag(false)},
        {attribute_copyable, flag(false)}, {attribute_destroyable, flag(false)},
        {CKA_LABEL, text(label)},
    };
    return object;
}

void add_key_attributes(Object& object, const Bytes& id)
{
    object.attributes.insert({
        {CKA_KEY_TYPE, number(CKK_RSA)},
        {CKA_ID, id},
        {CKA_START_DATE, {}},
        {CKA_END_DATE, {}},
        {CKA_DERIVE, flag(false)},
        {CKA_LOCAL, flag(false)},
        {CKA_KEY_GEN_MECHANISM, number(CK_UNAVAILABLE_INFORMATION)},
    });
}

Object make_private_key(const card::PrivateKey& key, const card::Card& driver)
{
    auto object = make_object(CKO_PRIVATE_KEY, key.label, true);
    add_key_attributes(object, key.id);
    Bytes allowed;
    for (const auto* mechanism : offered(driver, {key}))
        if (mechanism->padding != Padding::none) {
            const auto type = number(mechanism->type);
            allowed.insert(allowed.end(), type.begin(), type.end());
        }
    object.attributes.insert({
        {CKA_SENSITIVE, flag(true)},
        {CKA_ALWAYS_SENSITIVE, flag(true)},
        {CKA_EXTRACTABLE, flag(false)},
        {CKA_NEVER_EXTRACTABLE, flag(true)},
        {CKA_SIGN, flag(true)},
        {CKA_SIGN_RECOVER, flag(false)},
        {CKA_DECRYPT, flag(key.may_decipher)},
        {CKA_UNWRAP, flag(false)},
        {CKA_WRAP_WITH_TRUSTED, flag(false)},
        {CKA_ALWAYS_AUTHENTICATE, flag(false)},
        {CKA_MODULUS_BITS, number(key.bits)},
        {CKA_ALLOWED_MECHANISMS, std::move(allowed)},
    });
    return object;
}

/// The module checks no signatures and encrypts nothing: the public key is for those who do.
Object make_public_key(const card::Certificate& certificate)
{
    auto object = make_object(CKO_PUBLIC_KEY, certificate.label, false);
    add_key_attributes(object, certificate.id);
    object.attributes.insert({
        {CKA_ENCRYPT, flag(false)},
        {CKA_VERIFY, flag(false)},
        {CKA_VERIFY_RECOVER, flag(false)},
        {CKA_WRAP, flag(false)},
        {CKA_TRUSTED, flag(false)},
    });
    return object;
}

Object make_certificate(const card::Certificate& certificate)
{
    auto object = make_object(CKO_CERTIFICATE, certificate.label, false);
    object.attributes.insert({
        {CKA_CERTIFICATE_TYPE, number(CKC_X_509)},
        {CKA_TRUSTED, flag(false)},
        {CKA_CERTIFICATE_CATEGORY, number(category_token_user)},
        {CKA_ID, certificate.id},
        {CKA_URL, {}},
        {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, {}},
        {CKA_HASH_OF_ISSUER_PUBLIC_KEY, {}},
        {CKA_JAVA_MIDP_SECURITY_DOMAIN, number(0)},
    });
    return object;
}

Object make_data(const card::DataObject& data)
{
    auto object = make_object(CKO_DATA, data.label, data.is_private);
    object.attributes.insert({
        {CKA_APPLICATION, text(data.application)},
        {CKA_OBJECT_ID, {}},
    });
    return object;
}

} // namespace

const Bytes* Object::find(CK_ATTRIBUTE_TYPE type) const noexcept
{
    const auto found = attributes.find(type);
    return found == attributes.end() ? nullptr : &found->second;
}

std::vector<Object> make_objects(const card::Contents& contents, const card::Card& driver)
{
    std::vector<Object> objects;
    const auto certificate_of = [&](const Bytes& id) -> std::optional<std::size_t> {
        const auto found = std::ranges::find(contents.certificates, id, &card::Certificate::id);
        if (found == contents.certificates.end())
            return std::nullopt;
        return static_cast<std::size_t>(found - contents.certificates.begin());
    };
    std::vector<std::size_t> order; // keys for authentication first: what most clients want
    for (const auto role : {card::KeyRole::authentication, card::KeyRole::signature})
        for (std::size_t i = 0; i != contents.keys.size(); ++i)
            if (contents.keys[i].role == role)
                order.push_back(i);
    for (const auto i : order) {
        objects.push_back(make_private_key(contents.keys[i], driver));
        objects.back().key = i;
        objects.back().certificate = certificate_of(contents.keys[i].id);
        objects.back().complete = !objects.back().certificate;
    }
    for (std::size_t i = 0; i != contents.certificates.size(); ++i) {
        objects.push_back(make_certificate(contents.certificates[i]));
        objects.back().certificate = i;
        objects.push_back(make_public_key(contents.certificates[i]));
        objects.back().certificate = i;
    }
    for (std::size_t i = 0; i != contents.data.size(); ++i) {
        objects.push_back(make_data(contents.data[i]));
        objects.back().data = i;
    }
    return objects;
}

void complete(Object& object, ByteView der, const card::CertificateFields& fields)
{
    auto& attributes = object.attributes;
    attributes[CKA_SUBJECT] = fields.subject;
    attributes[attribute_public_key_info] = fields.spki;
    if (object.object_class == CKO_CERTIFICATE) {
        attributes[CKA_ISSUER] = fields.issuer;
        attributes[CKA_SERIAL_NUMBER] = fields.serial_number;
        attributes[CKA_VALUE] = copy_of(der);
        attributes[CKA_START_DATE] = text(fields.not_before); // CK_DATE is these characters
        attributes[CKA_END_DATE] = text(fields.not_after);
        auto check = crypto::digest(crypto::DigestAlgorithm::sha1, der);
        check.resize(3);
        attributes[CKA_CHECK_VALUE] = std::move(check);
    } else if (!fields.modulus.empty()) {
        attributes[CKA_MODULUS] = fields.modulus;
        attributes[CKA_PUBLIC_EXPONENT] = fields.public_exponent;
        const auto bits = fields.modulus.size() * 8 -
                          static_cast<std::size_t>(std::countl_zero(fields.modulus.front()));
        attributes[CKA_MODULUS_BITS] = number(bits);
    }
    object.complete = true;
}

bool is_sensitive(const Object& object, CK_ATTRIBUTE_TYPE type) noexcept
{
    return object.object_class == CKO_PRIVATE_KEY &&
           (type == CKA_PRIVATE_EXPONENT || (type >= CKA_PRIME_1 && type <= CKA_COEFFICIENT));
}

CK_RV not_a_private_key(const Object& object) noexcept
{
    return object.object_class == CKO_PUBLIC_KEY ? CKR_KEY_FUNCTION_NOT_PERMITTED
                                                 : CKR_KEY_HANDLE_INVALID;
}

} // namespace cps::p11
