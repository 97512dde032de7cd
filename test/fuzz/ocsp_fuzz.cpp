#include "cps/x509/ocsp.hpp"
#include "fuzz/authority.hpp"

#include <cstdlib>

using namespace cps;

/// The first octet says whether the others are an OCSPResponse (even) or its signed part (odd).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const auto now = fuzz::authority_time + std::chrono::hours{1};
    const ByteView rest{data + 1, size - 1};
    const auto response = data[0] % 2 == 0 ? copy_of(rest) : fuzz::ocsp_around(rest);
    const Bytes nonce(x509::ocsp_nonce_size, 0x5A);
    const auto stapled = x509::read_ocsp(response, {fuzz::card(), fuzz::authority()}, now);
    const auto fetched =
        x509::read_ocsp(response, {fuzz::card(), fuzz::authority(), nonce, true}, now);

    if (fetched && !stapled)
        std::abort(); // a nonce only ever adds a reason to refuse
    if (stapled && stapled->this_update > now + x509::revocation_clock_leeway)
        std::abort();
    return 0;
}
