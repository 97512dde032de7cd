#include "cps/token/challenge.hpp"

#include <cstdint>
#include <cstdlib>

/// A challenge that is taken is within its limits, and its own text says the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using cps::token::Challenge;
    const auto read =
        Challenge::parse(std::string_view{reinterpret_cast<const char*>(data), size});
    if (!read)
        return 0;
    if (size > Challenge::max_size || read->features.empty() || read->ttl > Challenge::max_ttl)
        std::abort();
    const auto again = Challenge::parse(read->to_json());
    if (!again || again->nonce != read->nonce || again->issued != read->issued ||
        again->features != read->features || again->ttl != read->ttl)
        std::abort();
    return 0;
}
