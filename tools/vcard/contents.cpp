#include "vcard/contents.hpp"

#include "vcard/der.hpp"
#include "vcard/pkcs15.hpp"

#include <array>
#include <string>

namespace cps::vcard {

namespace {

using pkcs15::CertificateEntry;
using pkcs15::DataAccess;
using pkcs15::DataEntry;
using pkcs15::KeyEntry;
using pkcs15::KeyKind;

constexpr std::string_view issuer_digits = "8025000001";
constexpr std::string_view root_aid = "8025000001FF0100";
constexpr std::string_view contact_aid = "E828BD080F8025000001FF0010";
constexpr std::string_view contactless_aid = "E828BD080F8025000001FF0020";

// Access rules, tag 8C: delete, terminate, activate, deactivate, update, read.
constexpr std::string_view issuer_writes = "7B45FFFFFF4500";
constexpr std::string_view read_only = "7BFFFFFFFFFF00";
constexpr std::string_view pin_writes = "7BFFFFFFFF1100";
constexpr std::string_view pin_reads = "7BFFFFFFFFFF11";

constexpr FileId sign_certificate_id = 0xA001;
constexpr FileId auth_certificate_id = 0xA002;
constexpr std::size_t cps_data_size = 64; // octets

constexpr std::array contact_certificates{
    CertificateEntry{"Certificat de Signature CPS", 1, sign_certificate_id, true},
    CertificateEntry{"Certificat d'Authentification CPS", 2, auth_certificate_id, true},
};
constexpr std::array contactless_certificates{
    CertificateEntry{"Certificat Technique CPS", 1, auth_certificate_id, false},
};
constexpr std::array cps3_keys{
    KeyEntry{"CPS_PRIV_SIG", 1, cps3_signature_key, KeyKind::signature},
    KeyEntry{"CPS_PRIV_AUT", 2, cps3_authentication_key, KeyKind::authentication},
};
constexpr std::array cps4_keys{
    KeyEntry{"CPS_PRIV_SIG", 1, cps4_signature_key, KeyKind::signature},
    KeyEntry{"CPS_PRIV_AUT", 2, cps4_authentication_key, KeyKind::authentication},
};
constexpr std::array contactless_keys{
    KeyEntry{"CPS_PRIV_TECH_AUT", 1, cps3_authentication_key, KeyKind::technical},
};
// Names are the issuer's; all identifiers but D107 and D120 are ours.
constexpr std::array contact_objects{
    DataEntry{"CPS_DATA", 0xD107, DataAccess::writable},
    DataEntry{"CPS_ID_CARD", 0xD100, DataAccess::open},
    DataEntry{"CPS_NAME_PS", 0xD101, DataAccess::open},
    DataEntry{"CPS_LANG_PS", 0xD102, DataAccess::open},
    DataEntry{"CPS_INFO_PS", 0xD103, DataAccess::open},
    DataEntry{"CPS_SIT_FACT", 0xD110, DataAccess::closed},
    DataEntry{"CPS_ACTIVITY_01_PS", 0xD120, DataAccess::closed},
    DataEntry{"CPS_ACTIVITY_02_PS", 0xD121, DataAccess::closed},
};
constexpr std::array contactless_objects{
    DataEntry{"CPS_ID_CARD", 0xD100, DataAccess::open},
};

File file(FileId id, Bytes content, std::string_view rule = issuer_writes,
          std::uint8_t short_id = 0)
{
    return {id, std::move(content), short_id, octets_of_hex(rule)};
}

Bytes directory_record(std::string_view aid, std::string_view label, FileId id)
{
    const Bytes path{0x3F, 0x00, 0x00, static_cast<std::uint8_t>(id)};
    // Both records name the contact application in tag 73.
    return tlv(0x61, tlv(0x4F, octets_of_hex(aid)), tlv(0x50, octets(label)), tlv(0x51, path),
               tlv(0x73, tlv(0x4F, octets_of_hex(contact_aid))));
}

/// The contactless record comes first: OpenSC binds the last one of those it knows.
Bytes directory_file()
{
    return join(directory_record(contactless_aid, "CPX IAS CL", contactless_application_id),
                directory_record(contact_aid, "CPX IAS", contact_application_id));
}

/// As published (github.com/OpenSC/OpenSC, pull request 2220), leading 80 included.
Bytes atr_file()
{
    return octets_of_hex("80 4301B8 460404B0ECC1 4703940180 4F088025000001FF0100 "
                         "E010 02020104 02020104 02020100 02020100 "
                         "78080606 2B8122F87802 82029000");
}

Bytes object_content(const DataEntry& object, const CardData& data)
{
    if (object.access == DataAccess::writable)
        return Bytes(cps_data_size);
    if (object.label == "CPS_ID_CARD")
        return der::sequence(der::utf8(data.card_number));
    return der::sequence(der::utf8(object.label));
}

std::string_view object_rule(DataAccess access)
{
    switch (access) {
    case DataAccess::open: return issuer_writes;
    case DataAccess::writable: return pin_writes;
    case DataAccess::closed: return pin_reads;
    }
    return read_only;
}

void add_objects(Directory& directory, std::span<const DataEntry> objects, const CardData& data)
{
    directory.files.push_back(file(pkcs15::dodf_id, pkcs15::dodf(objects)));
    for (const auto& object : objects)
        directory.files.push_back(
            file(object.file, object_content(object, data), object_rule(object.access)));
}

Directory contact_application(const CardData& data)
{
    const auto aid = octets_of_hex(contact_aid);
    const bool cps4 = data.generation == Generation::cps4;
    const auto keys = cps4 ? pkcs15::prkdf(aid, cps4_keys) : pkcs15::prkdf(aid, cps3_keys);
    Directory application{contact_application_id, aid, {}};
    auto& files = application.files;
    files.push_back(file(pkcs15::odf_id, pkcs15::odf(true)));
    files.push_back(
        file(pkcs15::token_info_id, pkcs15::token_info(cps4 ? "CPS4v1-" : "CPS3v3-", data)));
    files.push_back(file(pkcs15::aodf_id, pkcs15::aodf()));
    files.push_back(file(pkcs15::prkdf_id, keys));
    files.push_back(file(pkcs15::cdf_id, pkcs15::cdf(aid, contact_certificates)));
    files.push_back(file(sign_certificate_id, data.sign_certificate));
    files.push_back(file(auth_certificate_id, data.auth_certificate));
    add_objects(application, contact_objects, data);
    return application;
}

Directory contactless_application(const CardData& data)
{
    const auto aid = octets_of_hex(contactless_aid);
    Directory application{contactless_application_id, aid, {}};
    if (data.interface == Interface::contact)
        return application; // seen from the contacts it is there and empty
    auto& files = application.files;
    files.push_back(file(pkcs15::odf_id, pkcs15::odf(false)));
    files.push_back(file(pkcs15::token_info_id, pkcs15::token_info("CPS3v3-", data)));
    files.push_back(file(pkcs15::prkdf_id, pkcs15::prkdf(aid, contactless_keys)));
    files.push_back(file(pkcs15::cdf_id, pkcs15::cdf(aid, contactless_certificates)));
    files.push_back(file(auth_certificate_id, data.auth_certificate));
    add_objects(application, contactless_objects, data);
    return application;
}

} // namespace

Bytes serial_number_file(std::string_view serial)
{
    const auto pan = std::string{issuer_digits} + std::string{serial};
    unsigned sum = 0;
    for (std::size_t i = 0; i != pan.size(); ++i) { // Luhn (ISO/IEC 7812-1:2017, annex B)
        auto digit = static_cast<unsigned>(pan[pan.size() - 1 - i] - '0');
        if (i % 2 == 0)
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    const auto check = static_cast<char>('0' + (10 - sum % 10) % 10);
    return tlv(0x5A, octets_of_hex(pan + check + 'F'));
}

std::unique_ptr<FileTree> make_file_tree(const CardData& data)
{
    Directory master{master_file_id, octets_of_hex(root_aid), {}};
    master.files.push_back(file(0x2F00, directory_file(), issuer_writes, 0x1E));
    master.files.push_back(file(0x2F01, atr_file(), issuer_writes, 0x1D));
    master.files.push_back(file(0xD003, serial_number_file(data.serial), read_only, 0x1C));

    std::vector<Directory> applications;
    if (data.interface == Interface::contact)
        applications.push_back(contact_application(data));
    applications.push_back(contactless_application(data));
    return std::make_unique<FileTree>(std::move(master), std::move(applications));
}

} // namespace cps::vcard
