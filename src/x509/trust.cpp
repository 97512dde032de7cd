#include "cps/x509/trust.hpp"

#include "cps/crypto/openssl.hpp"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

namespace cps::x509 {
namespace {

namespace ossl = crypto::ossl;
using UniqueStore = std::unique_ptr<X509_STORE, ossl::Deleter<X509_STORE_free>>;
using UniqueStoreContext = std::unique_ptr<X509_STORE_CTX, ossl::Deleter<X509_STORE_CTX_free>>;

constexpr unsigned min_rsa = 2048; // bits of a card's key; RFC 7518, 3.3
constexpr unsigned max_rsa = 4096; // bits; above, a forger would choose the cost of a check
constexpr std::uint64_t exponent = 65537;
constexpr int auth_level = 2; // OpenSSL's: 112 bits, which SHA-1 and RSA 1024 do not reach
constexpr int max_depth = 4;  // CAs between leaf and anchor; IGC-Santé has one

/// What the verification found wrong, all of it: OpenSSL stops at the first fault unless told
/// to go on, and its first is not the one to report.
class Faults {
public:
    void add(ChainFault fault) noexcept { found_ |= bit(fault); }
    /// The fault to tell of. A path that does not hold comes before what it leads to.
    std::optional<ChainFault> first() const noexcept
    {
        for (const auto fault : {ChainFault::untrusted, ChainFault::weak, ChainFault::expired,
                                 ChainFault::not_yet_valid, ChainFault::usage})
            if ((found_ & bit(fault)) != 0)
                return fault;
        return std::nullopt;
    }

private:
    static unsigned bit(ChainFault fault) noexcept
    {
        return 1U << static_cast<unsigned>(fault);
    }
    unsigned found_ = 0;
};

/// X509_V_ERR_* to ours. What has no row is a path that does not hold.
ChainFault fault_of(int error) noexcept
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return ChainFault::expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return ChainFault::not_yet_valid;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return ChainFault::weak;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE: return ChainFault::usage;
    default: return ChainFault::untrusted;
    }
}

extern "C" int collect_fault(int good, X509_STORE_CTX* context)
{
    if (good == 0)
        static_cast<Faults*>(X509_STORE_CTX_get_app_data(context))
            ->add(fault_of(X509_STORE_CTX_get_error(context)));
    return 1; // go on; `check` looks at what was collected
}

/// SHA-2 of 256 bits and more. A digest by another name is not looked up: it is weak.
bool is_strong_digest(int nid) noexcept
{
    return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/// What the leaf shows by itself, whoever signed it.
bool is_weak(const Certificate& leaf)
{
    const auto key = leaf.key();
    // Only RSA keys have that exponent.
    if (!key || key->bits() < min_rsa || key->bits() > max_rsa ||
        key->rsa_exponent() != exponent)
        return true;
    int digest = NID_undef;
    const ossl::ErrorMark mark;
    return X509_get_signature_info(leaf.native(), &digest, nullptr, nullptr, nullptr) != 1 ||
           !is_strong_digest(digest);
}

/// The certificate above the leaf in the path that OpenSSL found.
boost::system::result<X509*, ChainFault>
issuer_in_path(x509_store_st* anchors, const Certificate& leaf, EpochSeconds at)
{
    const ossl::ErrorMark mark;
    const UniqueStoreContext context{X509_STORE_CTX_new()};
    if (!context || X509_STORE_CTX_init(context.get(), anchors, leaf.native(), nullptr) != 1)
        throw Error{Errc::internal, "OpenSSL cannot start a verification"};
    Faults faults;
    X509_STORE_CTX_set_app_data(context.get(), &faults);
    X509_STORE_CTX_set_verify_cb(context.get(), collect_fault);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()),
                               static_cast<std::time_t>(to_number(at)));
    const auto verified = X509_verify_cert(context.get());
    if (const auto fault = faults.first())
        return *fault;
    const auto* path = X509_STORE_CTX_get0_chain(context.get());
    // Failed without saying why, or the leaf is pinned itself: never a pass.
    if (verified != 1 || sk_X509_num(path) < 2)
        return ChainFault::untrusted;
    return sk_X509_value(path, 1); // the store's own, which outlives the context
}

bool carries_one_of(const Certificate& leaf, const std::vector<std::string>& allowed)
{
    const auto policies = leaf.policies();
    return std::ranges::find_first_of(policies, allowed) != policies.end();
}

} // namespace

Result<TrustStore> TrustStore::from_pem(std::string_view pem)
{
    auto anchors = Certificate::from_pem(pem);
    if (!anchors)
        return anchors.error();
    if (anchors->empty())
        return Error{Errc::malformed_input, "no certificate among the trust anchors"};

    const ossl::ErrorMark mark;
    UniqueStore store{X509_STORE_new()};
    if (!store)
        throw std::bad_alloc{};
    for (const auto& anchor : *anchors) {
        if (X509_check_ca(anchor.native()) != 1)
            return Error{Errc::malformed_input, "a trust anchor is not a CA certificate"};
        if (X509_STORE_add_cert(store.get(), anchor.native()) != 1)
            throw std::bad_alloc{};
    }
    auto* rules = X509_STORE_get0_param(store.get());
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM_set_auth_level(rules, auth_level);
    X509_VERIFY_PARAM_set_depth(rules, max_depth);
    return TrustStore{std::move(*anchors), std::shared_ptr<X509_STORE>{std::move(store)}};
}

std::optional<ChainFault> TrustStore::check(const Certificate& leaf, EpochSeconds at,
                                            const std::vector<std::string>& allowed) const
{
    const auto issuer = find_issuer(leaf, at, allowed);
    return issuer ? std::nullopt : std::optional{issuer.error()};
}

boost::system::result<Certificate, ChainFault>
TrustStore::find_issuer(const Certificate& leaf, EpochSeconds at,
                        const std::vector<std::string>& allowed) const
{
    if (is_weak(leaf))
        return ChainFault::weak;
    const auto issuer = issuer_in_path(store_.get(), leaf, at);
    if (!issuer)
        return issuer.error();
    if (!leaf.is_authentication_certificate())
        return ChainFault::usage;
    if (!allowed.empty() && !carries_one_of(leaf, allowed))
        return ChainFault::policy;
    const auto anchor = std::ranges::find_if(
        anchors_, [&](const auto& each) { return X509_cmp(each.native(), *issuer) == 0; });
    if (anchor == anchors_.end())
        return ChainFault::untrusted;
    return *anchor;
}

} // namespace cps::x509
