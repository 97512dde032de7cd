#include "cps/token/json.hpp"

#include <boost/json/serialize.hpp>

#include <cstdint>
#include <cstdlib>

/// What the strict reader takes, it takes again as it is written, and to the same value;
/// fractions, which no token holds, may lose their last digit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t limit = 4096;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto value = cps::token::parse_json(text, limit);
    if (!value)
        return 0;
    if (size > limit)
        std::abort();
    const auto written = boost::json::serialize(*value);
    const bool exact = written.find('E') == std::string::npos; // no double in it
    const auto again = cps::token::parse_json(written, 8 * limit);
    if (!again || (exact && *again != *value))
        std::abort();
    return 0;
}
