#include "crl.hpp"

#include "cps/crypto/openssl.hpp"
#include "der.hpp"

#include <openssl/x509v3.h>

#include <algorithm>

namespace cps::x509 {
namespace {

namespace ossl = crypto::ossl;
using UniquePoints = std::unique_ptr<CRL_DIST_POINTS, ossl::Deleter<CRL_DIST_POINTS_free>>;

/// `name` is one of the GeneralNames in `names`.
bool holds(ByteView names, GENERAL_NAME* name)
{
    unsigned char* raw = nullptr;
    const auto size = i2d_GENERAL_NAME(name, &raw);
    const ossl::UniqueOctets owned{raw};
    if (size <= 0)
        return false;
    const ByteView wanted{raw, static_cast<std::size_t>(size)};
    while (const auto each = take(names))
        if (std::ranges::equal(each->whole, wanted))
            return true;
    return false;
}

} // namespace

bool Crl::speaks_of(const Certificate& certificate) const
{
    if (user_only_ && X509_check_ca(certificate.native()) != 0)
        return false;
    if (!point_)
        return true;
    const ossl::ErrorMark mark;
    const UniquePoints points{static_cast<CRL_DIST_POINTS*>(
        X509_get_ext_d2i(certificate.native(), NID_crl_distribution_points, nullptr, nullptr))};
    for (int i = 0; points && i < sk_DIST_POINT_num(points.get()); ++i) {
        const auto* point = sk_DIST_POINT_value(points.get(), i);
        if (point->distpoint == nullptr || point->distpoint->type != 0 ||
            point->CRLissuer != nullptr)
            continue;
        auto* names = point->distpoint->name.fullname;
        for (int n = 0; n < sk_GENERAL_NAME_num(names); ++n)
            if (holds(*point_, sk_GENERAL_NAME_value(names, n)))
                return true;
    }
    return false;
}

const Crl::Entry* Crl::find(const Serial& serial) const noexcept
{
    const auto found = std::ranges::lower_bound(entries_, serial, {}, &Entry::serial);
    return found != entries_.end() && found->serial == serial ? &*found : nullptr;
}

bool Crl::is_older_than(const Crl& present) const noexcept
{
    if (this_update_ < present.this_update_)
        return true;
    // Two lists of one number are not both right (RFC 5280, 5.2.3).
    return present.number_ && (!number_ || *number_ <= *present.number_);
}

bool Crl::completes(const Crl& complete) const noexcept
{
    return complete.number_ && number_ && base_ && *base_ <= *complete.number_ &&
           *number_ > *complete.number_;
}

} // namespace cps::x509
