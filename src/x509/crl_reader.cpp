#include "crl.hpp"

#include "cps/crypto/openssl.hpp"
#include "der.hpp"
#include "time.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <ranges>

namespace cps::x509 {
namespace {

namespace ossl = crypto::ossl;
using UniqueName = std::unique_ptr<X509_NAME, ossl::Deleter<X509_NAME_free>>;

constexpr std::size_t max_extensions = 16; // of a list, or of an entry; 5 and 3 are defined

// X.690: identifier octets.
constexpr std::uint8_t boolean = 0x01, integer = 0x02, bit_string = 0x03, octet_string = 0x04,
                       object_identifier = 0x06, enumerated = 0x0A, sequence = 0x30,
                       context_0 = 0xA0;

// Content octets of id-ce arcs (2.5.29.n).
constexpr std::uint8_t id_crl_number = 20, id_reason = 21, id_delta = 27, id_issuing_point = 28,
                       id_certificate_issuer = 29;

/// What is wrong with octets that passed the signature, or came before it.
struct Fault {
    RevocationDoubt why;
};

[[noreturn]] void malformed()
{
    throw Fault{RevocationDoubt::not_an_answer};
}
[[noreturn]] void unsupported()
{
    throw Fault{RevocationDoubt::unsupported};
}

Element must_take(ByteView& input, std::uint8_t identifier)
{
    const auto element = take(input, identifier);
    if (!element)
        malformed();
    return *element;
}

/// The only element of `input`.
Element only(ByteView input, std::uint8_t identifier)
{
    const auto element = must_take(input, identifier);
    if (!input.empty())
        malformed();
    return element;
}

Serial number_in(ByteView content)
{
    const auto number = serial_of(content);
    if (!number)
        malformed();
    return *number;
}

EpochSeconds take_time(ByteView& input)
{
    const auto element = take(input);
    const auto time = element ? time_of(*element) : std::nullopt;
    if (!time)
        malformed();
    return *time;
}

struct Extension {
    std::optional<std::uint8_t> id_ce; ///< n of 2.5.29.n; empty: another arc
    bool critical = false;
    ByteView value;
};

/// @param use what to do with each; true if it knew it. Critical ones that nobody knows are
/// unsupported, repeated ones malformed.
template <class Use>
void read_extensions(ByteView list, Use&& use)
{
    std::vector<ByteView> seen;
    while (!list.empty()) { // `take` shortens it each time
        auto content = must_take(list, sequence).content;
        const auto oid = must_take(content, object_identifier).content;
        Extension extension;
        if (oid.size() == 3 && oid[0] == 0x55 && oid[1] == 0x1D)
            extension.id_ce = oid[2];
        if (const auto flag = take(content, boolean)) {
            if (flag->content.size() != 1 || flag->content[0] != 0xFF)
                malformed(); // FALSE is the default, which DER leaves out
            extension.critical = true;
        }
        extension.value = only(content, octet_string).content;
        const auto same = [&](ByteView other) { return std::ranges::equal(oid, other); };
        if (seen.size() == max_extensions || std::ranges::any_of(seen, same))
            malformed();
        seen.push_back(oid);
        if (!use(extension) && extension.critical)
            unsupported();
    }
}

} // namespace

/// Reads one list from front to back into its Crl.
class CrlReader {
public:
    CrlReader(ByteView der, const std::vector<Certificate>& authorities, EpochSeconds now)
        : der_{der}, authorities_{authorities}, now_{now}
    {
    }

    Crl read()
    {
        if (der_.size() > max_crl_size)
            throw Fault{RevocationDoubt::too_large};
        auto whole = only(der_, sequence).content;
        const auto tbs = must_take(whole, sequence);
        const auto algorithm = must_take(whole, sequence);
        const auto signature = only(whole, bit_string).content;
        if (signature.empty() || signature[0] != 0)
            malformed();

        auto rest = tbs.content;
        const auto version = take(rest, integer);
        if (!version || version->content.size() != 1 || version->content[0] != 1)
            unsupported(); // version 2, and no other (RFC 5280, 5.1.2.1)
        if (!std::ranges::equal(must_take(rest, sequence).whole, algorithm.whole))
            malformed();
        const auto issuer = must_take(rest, sequence);
        find_authority(issuer, tbs.whole, algorithm.whole, signature.subspan(1));
        read_times(rest);
        read_entries(rest);
        read_list_extensions(rest);
        crl_.sha256_ = crypto::sha256(der_);
        return std::move(crl_);
    }

private:
    void find_authority(const Element& name, ByteView signed_octets, ByteView algorithm,
                        ByteView signature)
    {
        const ossl::ErrorMark mark;
        const auto* in = name.whole.data();
        const UniqueName issuer{
            d2i_X509_NAME(nullptr, &in, static_cast<long>(name.whole.size()))};
        if (!issuer)
            malformed();
        bool named = false;
        for (std::size_t i = 0; i != authorities_.size(); ++i) {
            const auto& authority = authorities_[i];
            if (X509_NAME_cmp(issuer.get(), X509_get_subject_name(authority.native())) != 0)
                continue;
            named = true;
            // All bits where the extension is missing (RFC 5280, 6.3.3 (f)).
            if ((X509_get_key_usage(authority.native()) & KU_CRL_SIGN) != 0 &&
                has_signed(authority, signed_octets, algorithm, signature)) {
                crl_.authority_ = i;
                return;
            }
        }
        throw Fault{named ? RevocationDoubt::bad_signature : RevocationDoubt::wrong_issuer};
    }

    void read_times(ByteView& rest)
    {
        crl_.this_update_ = take_time(rest);
        crl_.next_update_ = take_time(rest); // not optional: RFC 5280, 5.1.2.5
        if (crl_.next_update_ <= crl_.this_update_)
            malformed();
        if (crl_.this_update_ > now_ + revocation_clock_leeway)
            throw Fault{RevocationDoubt::future_dated};
    }

    void read_entries(ByteView& rest)
    {
        const auto list = take(rest, sequence);
        if (!list)
            return;                                             // nobody is revoked
        for (auto entries = list->content; !entries.empty();) { // shortened each time
            if (crl_.entries_.size() == max_crl_entries)
                throw Fault{RevocationDoubt::too_large};
            crl_.entries_.push_back(read_entry(must_take(entries, sequence).content));
        }
        crl_.entries_.shrink_to_fit();
        std::ranges::sort(crl_.entries_, {}, [](const Crl::Entry& entry) {
            return std::pair{entry.serial, entry.reason == RevocationReason::remove_from_crl};
        });
    }

    static Crl::Entry read_entry(ByteView content)
    {
        Crl::Entry entry;
        entry.serial = number_in(must_take(content, integer).content);
        entry.at = take_time(content);
        if (content.empty())
            return entry;
        read_extensions(only(content, sequence).content, [&](const Extension& extension) {
            if (extension.id_ce == id_certificate_issuer)
                unsupported(); // an indirect CRL
            if (extension.id_ce != id_reason)
                return false;
            const auto code = only(extension.value, enumerated).content;
            if (code.size() != 1)
                malformed();
            entry.reason = reason_of(code[0]);
            return true;
        });
        return entry;
    }

    void read_list_extensions(ByteView rest)
    {
        if (rest.empty())
            return;
        const auto list = only(rest, context_0).content;
        read_extensions(only(list, sequence).content, [&](const Extension& extension) {
            if (extension.id_ce == id_crl_number)
                crl_.number_ = number_in(only(extension.value, integer).content);
            else if (extension.id_ce == id_delta)
                crl_.base_ = number_in(only(extension.value, integer).content);
            else if (extension.id_ce == id_issuing_point)
                read_scope(extension.value);
            else
                return false;
            return true;
        });
        if (crl_.base_ && !crl_.number_)
            malformed(); // RFC 5280, 5.2.3
    }

    /// issuingDistributionPoint (RFC 5280, 5.2.5). What leaves some reasons or certificates
    /// of persons out, or lets others speak for the authority, is no list for us.
    void read_scope(ByteView value)
    {
        crl_.scope_ = copy_of(value);
        auto content = only(value, sequence).content;
        if (const auto point = take(content, context_0)) {
            auto inner = point->content;
            const auto names = take(inner, context_0); // fullName
            if (!names || !inner.empty())
                unsupported(); // nameRelativeToCRLIssuer
            crl_.point_ = copy_of(names->content);
        }
        if (const auto user_only = take(content, 0x81)) {
            if (user_only->content.size() != 1 || user_only->content[0] != 0xFF)
                malformed();
            crl_.user_only_ = true;
        }
        if (!content.empty())
            unsupported();
    }

    ByteView der_;
    const std::vector<Certificate>& authorities_;
    EpochSeconds now_;
    Crl crl_;
};

boost::system::result<Crl, RevocationDoubt>
Crl::read(ByteView der, const std::vector<Certificate>& authorities, EpochSeconds now)
{
    try {
        return CrlReader{der, authorities, now}.read();
    } catch (const Fault& fault) {
        return fault.why;
    }
}

} // namespace cps::x509
