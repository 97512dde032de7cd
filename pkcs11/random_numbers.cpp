// PKCS #11 v3.0, 5.19: random number generation, by the card.
#include "module.hpp"

#include <algorithm>

using namespace cps;
using namespace cps::p11;

namespace {

constexpr CK_ULONG max_request = 4096; // octets; the card gives eight at a time

} // namespace

P11_EXPORT CK_RV C_SeedRandom(CK_SESSION_HANDLE handle, CK_BYTE_PTR, CK_ULONG)
{
    return guarded([&] {
        const SessionCall session{handle};
        throw Refusal{CKR_RANDOM_SEED_NOT_SUPPORTED};
    });
}

P11_EXPORT CK_RV C_GenerateRandom(CK_SESSION_HANDLE handle, CK_BYTE_PTR data, CK_ULONG size)
{
    return guarded([&] {
        const SessionCall session{handle};
        if ((data == nullptr && size != 0) || size > max_request)
            throw Refusal{CKR_ARGUMENTS_BAD};
        if (size == 0)
            return;
        const std::scoped_lock lock{session->slot.mutex};
        std::ranges::copy(session->slot.random(size), data);
    });
}
