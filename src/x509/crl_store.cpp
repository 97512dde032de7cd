#include "cps/x509/crl_store.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/log.hpp"
#include "cps/crypto/openssl.hpp"
#include "crl.hpp"
#include "crl_cache.hpp"

#include <openssl/pem.h>

#include <algorithm>

namespace cps::x509 {
namespace {

namespace fs = std::filesystem;
namespace ossl = crypto::ossl;
using Outcome = CrlStore::Offer::Outcome;

constexpr std::string_view pem_start = "-----BEGIN "; // RFC 7468, 3
constexpr std::size_t max_pem = max_crl_size / 2 * 3; // octets: base64 and its line ends

CrlStore::Offer refused(std::string name, RevocationDoubt why)
{
    return {std::move(name), Outcome::refused, why};
}

RevocationDoubt doubt_of(const Error& error) noexcept
{
    switch (error.code()) {
    case Errc::too_large: return RevocationDoubt::too_large;
    case Errc::malformed_input: return RevocationDoubt::not_an_answer;
    default: return RevocationDoubt::unreachable;
    }
}

/// The octets of the one CRL in a PEM text; empty for anything else.
Bytes from_pem(ByteView text)
{
    const ossl::ErrorMark mark;
    const ossl::UniqueBio in{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
    char* raw_name = nullptr;
    char* raw_header = nullptr;
    unsigned char* raw_data = nullptr;
    long size = 0;
    if (!in || PEM_read_bio(in.get(), &raw_name, &raw_header, &raw_data, &size) != 1)
        return {};
    const ossl::UniqueText name{raw_name};
    const ossl::UniqueText header{raw_header};
    const ossl::UniqueOctets data{raw_data};
    if (std::string_view{raw_name} != PEM_STRING_X509_CRL)
        return {};
    return {raw_data, raw_data + size};
}

/// What one complete list and the delta to it say. Either may be missing.
RevocationVerdict judge(const Crl* complete, const Crl* delta, const Serial& serial,
                        EpochSeconds now, const RevocationPolicy& policy)
{
    const bool up_to_date =
        complete != nullptr && delta != nullptr && delta->completes(*complete);
    // A later delta than the complete list: what it adds is true even where it does not fit.
    const bool later = delta != nullptr && (complete == nullptr || !complete->number() ||
                                            *delta->number() > *complete->number());
    const auto* change = later ? delta->find(serial) : nullptr;
    const bool removal =
        change != nullptr && change->reason == RevocationReason::remove_from_crl;
    if (change != nullptr && !removal)
        return RevocationVerdict::revoked(change->at, change->reason);
    if (complete == nullptr)
        return RevocationVerdict::unknown(RevocationDoubt::no_source);
    if (!(removal && up_to_date))
        if (const auto* entry = complete->find(serial))
            return RevocationVerdict::revoked(entry->at, entry->reason);

    auto made = complete->this_update();
    auto next = complete->next_update();
    if (up_to_date) {
        made = std::max(made, delta->this_update());
        next = std::max(next, delta->next_update());
    }
    auto until = made + policy.max_crl_age;
    if (policy.when_down == RevocationPolicy::WhenDown::hard)
        until = std::min(until, next);
    if (made > now + revocation_clock_leeway)
        return RevocationVerdict::unknown(RevocationDoubt::future_dated);
    if (now > until)
        return RevocationVerdict::unknown(RevocationDoubt::stale);
    return RevocationVerdict::good(std::min(until, now + max_verdict_life));
}

} // namespace

CrlStore::CrlStore(std::vector<Certificate> authorities, const Clock& clock, fs::path cache)
    : authorities_{std::move(authorities)}, clock_{clock}, cache_{std::move(cache)}
{
    std::error_code none_yet;
    if (cache_.empty() || !fs::is_directory(cache_, none_yet))
        return;
    for (const auto& path : crl_files(cache_).value()) {
        const auto octets = read_whole_file(path, max_crl_size);
        remembered_.push_back(octets ? take(*octets, path.string(), false)
                                     : refused(path.string(), doubt_of(octets.error())));
    }
}

CrlStore::~CrlStore() = default;

CrlStore::Offer CrlStore::offer(ByteView octets, std::string name)
{
    return take(octets, std::move(name), true);
}

std::vector<CrlStore::Offer> CrlStore::load(const fs::path& path)
{
    std::vector<fs::path> paths{path};
    std::error_code fault;
    if (fs::is_directory(path, fault)) {
        auto files = crl_files(path);
        if (!files)
            return {refused(path.string(), RevocationDoubt::unreachable)};
        paths = *std::move(files);
    }
    std::vector<Offer> offers;
    for (const auto& each : paths) {
        const auto octets = read_whole_file(each, max_pem);
        offers.push_back(octets ? offer(*octets, each.string())
                                : refused(each.string(), doubt_of(octets.error())));
    }
    return offers;
}

std::vector<CrlStore::Offer> CrlStore::refresh(Fetcher& fetcher,
                                               const std::vector<std::string>& urls)
{
    std::vector<Offer> offers;
    for (const auto& url : urls) {
        const auto octets = fetcher.fetch(
            {.url = url, .max_size = max_crl_size, .deadline = crl_fetch_deadline});
        offers.push_back(octets ? offer(*octets, url) : refused(url, doubt_of(octets.error())));
    }
    return offers;
}

CrlStore::Offer CrlStore::take(ByteView octets, std::string name, bool write)
{
    if (octets.size() > max_pem)
        return refused(std::move(name), RevocationDoubt::too_large);
    Bytes decoded;
    if (text_of(octets).starts_with(pem_start)) {
        decoded = from_pem(octets);
        octets = decoded;
    }
    auto read = Crl::read(octets, authorities_, clock_.now());
    if (!read)
        return refused(std::move(name), read.error());
    const auto crl = std::make_shared<const Crl>(*std::move(read)); // shared with look-ups

    // One at a time, so that what is cached is what counts; look-ups do not wait for a disk.
    const std::scoped_lock one{offering_};
    const Scope scope{crl->authority(), crypto::sha256(crl->scope())};
    {
        const std::scoped_lock lock{mutex_};
        auto& lists = lists_[scope];
        auto& present = crl->base() ? lists.delta : lists.complete;
        if (present && present->sha256() == crl->sha256())
            return {std::move(name), Outcome::unchanged};
        if (present && crl->is_older_than(*present))
            return refused(std::move(name), RevocationDoubt::rolled_back);
        present = crl;
    }
    if (write && !cache_.empty())
        keep(scope, *crl, octets);
    return {std::move(name), Outcome::taken};
}

void CrlStore::keep(const Scope& scope, const Crl& crl, ByteView der) const
{
    const auto authority = authorities_[scope.first].sha256();
    Bytes key{authority.begin(), authority.end()};
    key.insert(key.end(), scope.second.begin(), scope.second.end());
    std::error_code fault;
    fs::create_directories(cache_, fault);
    const auto path =
        cache_ / (to_hex(crypto::sha256(key)) + (crl.base() ? ".delta.crl" : ".crl"));
    if (const auto written = replace_file(path, der); !written)
        log::warning(written.error().what()); // the list counts all the same
}

const Certificate* CrlStore::issuer_of(const Certificate& certificate) const
{
    const auto found = std::ranges::find_if(
        authorities_, [&](const Certificate& each) { return issued(each, certificate); });
    return found == authorities_.end() ? nullptr : &*found;
}

RevocationVerdict CrlStore::check(const Certificate& certificate,
                                  const RevocationPolicy& policy) const
{
    const auto* issuer = issuer_of(certificate);
    return issuer == nullptr ? RevocationVerdict::unknown(RevocationDoubt::wrong_issuer)
                             : check(certificate, *issuer, policy);
}

RevocationVerdict CrlStore::check(const Certificate& certificate, const Certificate& issuer,
                                  const RevocationPolicy& policy) const
{
    // Lists stand under the first authority of that name and key: there may be an older
    // certificate of it.
    const auto authority = std::ranges::find_if(
        authorities_, [&](const Certificate& each) { return is_same_authority(each, issuer); });
    const auto serial = serial_of(certificate);
    if (authority == authorities_.end() || !serial)
        return RevocationVerdict::unknown(RevocationDoubt::wrong_issuer);
    const auto place = static_cast<std::size_t>(authority - authorities_.begin());
    std::vector<Lists> found;
    {
        const std::scoped_lock lock{mutex_};
        for (auto each = lists_.lower_bound({place, {}});
             each != lists_.end() && each->first.first == place; ++each)
            found.push_back(each->second);
    }

    auto verdict = RevocationVerdict::unknown(RevocationDoubt::no_source);
    for (const auto& [complete, delta] : found) {
        if (!(complete ? complete : delta)->speaks_of(certificate))
            continue;
        const auto word = judge(complete.get(), delta.get(), *serial, clock_.now(), policy);
        if (word.is_revoked())
            return word;
        if (!verdict.is_good() || (word.is_good() && word.good_until > verdict.good_until))
            verdict = word;
    }
    return verdict;
}

std::size_t CrlStore::size() const
{
    const std::scoped_lock lock{mutex_};
    std::size_t count = 0;
    for (const auto& [scope, lists] : lists_)
        for (const auto& list : {lists.complete, lists.delta})
            count += list ? list->size() : 0;
    return count;
}

} // namespace cps::x509
