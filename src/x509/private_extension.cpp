#include "private_extension.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/openssl.hpp"
#include "text.hpp"

#include <algorithm>

namespace cps::x509 {
namespace {

namespace ossl = crypto::ossl;
using UniqueType = std::unique_ptr<ASN1_TYPE, ossl::Deleter<ASN1_TYPE_free>>;

struct MembersDeleter {
    void operator()(ASN1_SEQUENCE_ANY* members) const noexcept
    {
        sk_ASN1_TYPE_pop_free(members, ASN1_TYPE_free);
    }
};
using UniqueMembers = std::unique_ptr<ASN1_SEQUENCE_ANY, MembersDeleter>;

Error malformed() noexcept
{
    return {Errc::malformed_input, "one of ANS's extensions cannot be read"};
}

ByteView octets_of(const ASN1_STRING* string)
{
    return {ASN1_STRING_get0_data(string),
            static_cast<std::size_t>(ASN1_STRING_length(string))};
}

bool is_graphic(ByteView octets) noexcept
{
    return !octets.empty() &&
           std::ranges::all_of(octets, [](auto octet) { return octet > 0x20 && octet < 0x7F; });
}

} // namespace

Result<PrivateExtension> PrivateExtension::read_simple(const ASN1_TYPE& type)
{
    PrivateExtension value;
    switch (type.type) {
    case V_ASN1_INTEGER:
    case V_ASN1_ENUMERATED: {
        const auto* string = type.value.asn1_string;
        const auto good = type.type == V_ASN1_INTEGER
                              ? ASN1_INTEGER_get_int64(&value.number_, string)
                              : ASN1_ENUMERATED_get_int64(&value.number_, string);
        if (good != 1 || value.number_ < 0)
            return malformed();
        return value;
    }
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_VISIBLESTRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_T61STRING:
    case V_ASN1_BMPSTRING: {
        auto text = utf8_of(type.value.asn1_string);
        if (!text)
            return malformed();
        value.kind_ = Kind::text;
        value.content_ = std::move(*text);
        return value;
    }
    case V_ASN1_OCTET_STRING:
        value.kind_ = Kind::octets;
        value.content_ = text_of(octets_of(type.value.octet_string));
        return value;
    default: return malformed();
    }
}

Result<PrivateExtension> PrivateExtension::read(ByteView der)
{
    const ossl::ErrorMark mark;
    const auto* in = der.data();
    const UniqueType type{d2i_ASN1_TYPE(nullptr, &in, static_cast<long>(der.size()))};
    if (!type || in != der.data() + der.size())
        return malformed();
    if (type->type != V_ASN1_SEQUENCE && type->type != V_ASN1_SET)
        return read_simple(*type);

    const auto list = type->type == V_ASN1_SET ? &d2i_ASN1_SET_ANY : &d2i_ASN1_SEQUENCE_ANY;
    in = der.data();
    const UniqueMembers members{list(nullptr, &in, static_cast<long>(der.size()))};
    if (!members || sk_ASN1_TYPE_num(members.get()) < 1)
        return malformed();
    return read_simple(*sk_ASN1_TYPE_value(members.get(), 0));
}

Result<std::optional<PrivateExtension>> PrivateExtension::of(const x509_st* certificate,
                                                             const AnsOid& oid)
{
    const auto count = X509_get_ext_count(certificate);
    for (int i = 0; i < count; ++i) {
        auto* extension = X509_get_ext(certificate, i);
        const auto* object = X509_EXTENSION_get_object(extension);
        if (!std::ranges::equal(ByteView{OBJ_get0_data(object), OBJ_length(object)}, oid))
            continue;
        auto value = read(octets_of(X509_EXTENSION_get_data(extension)));
        if (!value)
            return value.error();
        return std::optional{std::move(*value)};
    }
    return std::optional<PrivateExtension>{};
}

std::optional<std::string> PrivateExtension::code() const
{
    if (kind_ == Kind::number)
        return std::to_string(number_);
    if (kind_ == Kind::octets && content_.size() == 1)
        return std::to_string(octets(content_).front());
    if (kind_ == Kind::octets && !is_graphic(octets(content_)))
        return std::nullopt;
    return content_;
}

std::optional<std::uint8_t> PrivateExtension::octet() const
{
    if (kind_ == Kind::number) {
        if (number_ > 0xFF)
            return std::nullopt;
        return static_cast<std::uint8_t>(number_);
    }
    if (kind_ == Kind::octets && content_.size() == 1)
        return octets(content_).front();
    const auto decoded = content_.size() == 2 ? from_hex(content_) : std::nullopt;
    if (!decoded || decoded->size() != 1)
        return std::nullopt;
    return decoded->front();
}

} // namespace cps::x509
