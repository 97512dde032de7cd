// PKCS #11 v3.0, 5.19: random number generation, by the card.
#include "module.hpp"

#include <algorithm>

using namespace cps;
using namespace cps::p11;

namespace {

constexpr CK_ULONG max_request = 65'536; // octets: above any client's
// Octets for which the card is asked at a time. It gives eight in some 20 ms, so that these
// take a fifth of its deadline.
constexpr std::size_t piece = 1024;

} // namespace

P11_EXPORT CK_RV C_SeedRandom(CK_SESSION_HANDLE handle, CK_BYTE_PTR seed, CK_ULONG size)
{
    return guarded([&] {
        const SessionCall session{handle};
        input(seed, size);
        throw Refusal{CKR_RANDOM_SEED_NOT_SUPPORTED};
    });
}

P11_EXPORT CK_RV C_GenerateRandom(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG size)
{
    return guarded([&] {
        const SessionCall session{handle};
        if ((data == nullptr && size != 0) || size > max_request)
            throw Refusal{CKR_ARGUMENTS_BAD};
        const std::scoped_lock lock{session->slot.mutex};
        for (std::span<CK_BYTE> rest{data, size}; !rest.empty();
             rest = rest.subspan(std::min(piece, rest.size())))
            std::ranges::copy(session->slot.random(std::min(piece, rest.size())), rest.begin());
    });
}
