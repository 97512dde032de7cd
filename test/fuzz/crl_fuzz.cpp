#include "cps/x509/crl_store.hpp"
#include "fuzz/authority.hpp"

#include <algorithm>
#include <cstdlib>

using namespace cps;

namespace {

class FixedClock final : public Clock {
public:
    EpochSeconds now() const override { return fuzz::authority_time + std::chrono::hours{1}; }
    std::chrono::steady_clock::time_point steady() const override { return {}; }
};

} // namespace

/// The first octet says what the others are: a CRL (0), what is signed of one (1), or of two
/// (2), the first's length in two octets before it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    static const FixedClock clock;
    x509::CrlStore crls{{fuzz::authority()}, clock};
    const ByteView rest{data + 1, size - 1};
    using Outcome = x509::CrlStore::Offer::Outcome;
    bool taken = false;
    const auto offer = [&](ByteView octets) {
        taken |= crls.offer(octets).outcome == Outcome::taken;
    };
    switch (data[0] % 3) {
    case 0: offer(rest); break;
    case 1: offer(fuzz::crl_around(rest)); break;
    default:
        if (rest.size() < 2)
            return 0;
        const auto length = static_cast<std::size_t>(rest[0] << 8 | rest[1]);
        const auto first = std::min(length, rest.size() - 2);
        offer(fuzz::crl_around(rest.subspan(2, first)));
        offer(fuzz::crl_around(rest.subspan(2 + first)));
    }

    const auto verdict = crls.check(fuzz::card(), {});
    if (!taken && (crls.size() != 0 || !verdict.is_unknown()))
        std::abort();
    if (verdict.is_revoked() && crls.size() == 0)
        std::abort();
    if (verdict.is_good() && verdict.good_until > clock.now() + x509::max_verdict_life)
        std::abort();
    return 0;
}
