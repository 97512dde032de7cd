#include "request_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

/// The first octet says how the others are cut; whatever they are, what the reader makes of
/// them must not depend on the cuts, nor pass its limits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using cps::http::RequestReader;
    using Step = RequestReader::Step;
    constexpr std::size_t head_limit = 512;
    constexpr std::size_t body_limit = 256;
    if (size < 2)
        return 0;

    const std::string octets{reinterpret_cast<const char*>(data + 1), size - 1};
    const auto read = [&](std::size_t piece, RequestReader& reader) {
        std::string inbox;
        auto step = Step::needs_more;
        for (std::size_t at = 0;
             at < octets.size() && step != Step::complete && step != Step::refused;
             at += piece) {
            inbox += octets.substr(at, piece);
            step = reader.feed(inbox);
        }
        return step == Step::wants_body ? Step::needs_more : step;
    };
    RequestReader whole{head_limit, body_limit};
    RequestReader cut{head_limit, body_limit};

    const auto once = read(octets.size(), whole);
    const auto often = read(std::max<std::size_t>(1, data[0] % 64), cut);

    if (once != often && (once == Step::complete || often == Step::complete))
        std::abort();
    const auto& request = whole.request();
    if (request.body.size() > body_limit || request.target.size() > head_limit)
        std::abort();
    if (once == Step::complete &&
        (request.body != cut.request().body || request.fields != cut.request().fields ||
         !request.target.starts_with('/')))
        std::abort();
    return 0;
}
