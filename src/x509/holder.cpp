#include "cps/x509/holder.hpp"

#include "cps/crypto/openssl.hpp"
#include "labels.hpp"
#include "private_extension.hpp"
#include "text.hpp"

#include <algorithm>

namespace cps::x509 {
namespace {

constexpr std::size_t max_identifier = 64; // characters: ub-common-name (RFC 5280, A.1)

Error bad_subject() noexcept
{
    return {Errc::malformed_input, "the certificate does not name one holder"};
}

Error bad_extension() noexcept
{
    return {Errc::malformed_input, "one of ANS's extensions cannot be read"};
}

/// Digits on most cards, letters and a '/' on some; nothing that needs quoting anywhere.
bool is_identifier(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= max_identifier &&
           std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                      (c >= 'a' && c <= 'z') || c == '/' || c == '-' || c == '.' || c == '_';
           });
}

/// PS_IdNat's first digit says what the rest is. For staff (CPE, CPA) the rest is the
/// structure's number, '/' and the structure's own number for the person.
std::string_view kind_of(std::string_view id) noexcept
{
    switch (id.front()) {
    case '0': return "adeli";
    case '1': return "cabinet_adeli";
    case '3': return "finess";
    case '4': return "siren";
    case '5': return "siret";
    case '6': return "cabinet_rpps";
    case '8': return "rpps";
    default: return "other";
    }
}

/// Every value of the subject, whatever RDN it stands in: DER orders the values of one RDN by
/// length, so that no position means anything.
struct Subject {
    std::vector<std::string> common_names;
    std::string surname;
    std::string given_names;
    std::string pseudonym;
};

void append(std::string& text, const std::string& word)
{
    if (!text.empty())
        text += ' ';
    text += word;
}

Result<Subject> subject_of(const X509_NAME* name)
{
    Subject subject;
    const auto count = X509_NAME_entry_count(name);
    for (int i = 0; i < count; ++i) {
        const auto* entry = X509_NAME_get_entry(name, i);
        const auto kind = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
        if (kind != NID_commonName && kind != NID_surname && kind != NID_givenName &&
            kind != NID_pseudonym)
            continue;
        auto text = utf8_of(X509_NAME_ENTRY_get_data(entry));
        if (!text)
            return bad_subject();
        if (kind == NID_commonName)
            subject.common_names.push_back(std::move(*text));
        else
            append(kind == NID_surname     ? subject.surname
                   : kind == NID_givenName ? subject.given_names
                                           : subject.pseudonym,
                   *text);
    }
    return subject;
}

Result<std::optional<std::string>> code_in(const Certificate& certificate, const AnsOid& oid)
{
    const auto extension = PrivateExtension::of(certificate.native(), oid);
    if (!extension)
        return extension.error();
    if (!*extension)
        return std::optional<std::string>{};
    auto code = (*extension)->code();
    if (!code)
        return bad_extension();
    return code;
}

Result<std::optional<std::uint8_t>> octet_in(const Certificate& certificate, const AnsOid& oid)
{
    const auto extension = PrivateExtension::of(certificate.native(), oid);
    if (!extension)
        return extension.error();
    if (!*extension)
        return std::optional<std::uint8_t>{};
    const auto octet = (*extension)->octet();
    if (!octet)
        return bad_extension();
    return octet;
}

Result<std::optional<CardType>> card_type_in(const Certificate& certificate)
{
    const auto code = code_in(certificate, oid_card_type);
    if (!code)
        return code.error();
    if (!*code)
        return std::optional<CardType>{};
    for (const auto type : {CardType::cps, CardType::cpf, CardType::cpe, CardType::cpa})
        if (**code == std::to_string(static_cast<int>(type)))
            return std::optional{type};
    return bad_extension(); // not the same as none: a rule may let none pass
}

} // namespace

Result<Holder> holder_of(const Certificate& certificate)
{
    auto subject = subject_of(X509_get_subject_name(certificate.native()));
    if (!subject)
        return subject.error();
    if (subject->common_names.size() != 1 || !is_identifier(subject->common_names.front()))
        return bad_subject();
    const auto card_type = card_type_in(certificate);
    const auto card_number = code_in(certificate, oid_card_number);
    const auto category = octet_in(certificate, oid_product_category);
    const auto profession = code_in(certificate, oid_profession);
    const auto speciality = code_in(certificate, oid_speciality);
    if (!card_type || !card_number || !category || !profession || !speciality)
        return bad_extension();

    Holder holder;
    holder.id = std::move(subject->common_names.front());
    holder.id_kind = kind_of(holder.id);
    // A card that a structure lends its staff names nobody.
    holder.surname =
        std::move(subject->surname.empty() ? subject->pseudonym : subject->surname);
    holder.given_names = std::move(subject->given_names);
    holder.card_type = *card_type;
    holder.card_number = card_number->value_or("");
    if (*category)
        holder.product_category = **category;
    if (*profession)
        holder.profession = profession_of(**profession);
    if (*speciality)
        holder.speciality = speciality_of(**speciality);
    return holder;
}

std::string_view name_of(CardType type) noexcept
{
    switch (type) {
    case CardType::cps: return "CPS";
    case CardType::cpf: return "CPF";
    case CardType::cpe: return "CPE";
    case CardType::cpa: break;
    }
    return "CPA";
}

} // namespace cps::x509
