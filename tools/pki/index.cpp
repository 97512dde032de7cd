#include "pki/der.hpp"
#include "pki/revocation.hpp"

#include "cps/base/encoding.hpp"

#include <array>
#include <ctime>

namespace cps::pki {
namespace {

constexpr std::size_t max_index_entries = 10'000; // a test hierarchy has some tens
constexpr std::string_view reason = ",keyCompromise";

/// `YYMMDDHHMMSSZ`, as openssl's index writes time.
std::string short_time(EpochSeconds time)
{
    return der::generalized_time(time).substr(2);
}

EpochSeconds parse_time(std::string_view text)
{
    const TimePtr time{must(ASN1_TIME_new())};
    std::tm parts{};
    if (ASN1_TIME_set_string(time.get(), std::string{text}.c_str()) != 1 ||
        ASN1_TIME_to_tm(time.get(), &parts) != 1)
        throw Error{Errc::malformed_input, "index.txt holds no time where one belongs"};
    return epoch_seconds(::timegm(&parts));
}

IndexEntry parse_line(std::string_view line)
{
    std::array<std::string_view, 6> cells;
    for (auto& cell : cells) {
        const auto end = line.find('\t');
        cell = line.substr(0, end);
        line = end == std::string_view::npos ? std::string_view{} : line.substr(end + 1);
    }
    const auto& [state, expiry, revocation, serial, file, subject] = cells;
    if (!from_hex(serial) || (state != "V" && state != "R"))
        throw Error{Errc::malformed_input, "index.txt holds a line that is not ours"};
    IndexEntry entry{std::string{serial}, parse_time(expiry), {}, std::string{subject}};
    if (state == "R")
        entry.revoked_at = parse_time(revocation.substr(0, revocation.find(',')));
    return entry;
}

} // namespace

IndexEntry index_entry(const Authority& leaf, std::optional<EpochSeconds> revoked_at)
{
    const auto* certificate = leaf.certificate.get();
    const auto* serial = X509_get0_serialNumber(certificate);
    const ByteView octets_of_serial{ASN1_STRING_get0_data(serial),
                                    static_cast<std::size_t>(ASN1_STRING_length(serial))};
    std::tm parts{};
    must(ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts));
    std::array<char, 512> subject{};
    X509_NAME_oneline(X509_get_subject_name(certificate), subject.data(), subject.size());
    return {to_hex(octets_of_serial), epoch_seconds(::timegm(&parts)), revoked_at,
            subject.data()};
}

std::string to_text(const Index& index)
{
    std::string out;
    for (const auto& entry : index) {
        out += entry.revoked_at ? "R\t" : "V\t";
        out += short_time(entry.not_after) + '\t';
        if (entry.revoked_at)
            out += short_time(*entry.revoked_at) + std::string{reason};
        out += '\t' + entry.serial + "\tunknown\t" + entry.subject + '\n';
    }
    return out;
}

Index parse_index(std::string_view text)
{
    Index index;
    while (!text.empty()) {
        const auto end = text.find('\n');
        index.push_back(parse_line(text.substr(0, end)));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (index.size() > max_index_entries)
            throw Error{Errc::too_large, "index.txt is longer than any of ours"};
    }
    return index;
}

} // namespace cps::pki
