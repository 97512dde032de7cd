#include "cps/x509/crl_store.hpp"
#include "fuzz/authority.hpp"

#include <cstdlib>

using namespace cps;

namespace {

class FixedClock final : public Clock {
public:
    EpochSeconds now() const override { return fuzz::authority_time + std::chrono::hours{1}; }
    std::chrono::steady_clock::time_point steady() const override { return {}; }
};

} // namespace

/// The first octet says whether the others are a CRL (even) or what is signed of one (odd).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    static const FixedClock clock;
    x509::CrlStore crls{{fuzz::authority()}, clock};
    const ByteView rest{data + 1, size - 1};
    const auto offer = data[0] % 2 == 0 ? crls.offer(rest) : crls.offer(fuzz::crl_around(rest));

    const bool taken = offer.outcome == x509::CrlStore::Offer::Outcome::taken;
    const auto verdict = crls.check(fuzz::card(), {});
    if (!taken && (crls.size() != 0 || !verdict.is_unknown()))
        std::abort();
    if (verdict.is_revoked() && crls.size() == 0)
        std::abort();
    if (verdict.is_good() && verdict.good_until > clock.now() + x509::max_verdict_life)
        std::abort();
    return 0;
}
