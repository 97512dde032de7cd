#include "unit/verify/portal.hpp"

#include "cps/base/encoding.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace cps;

/// Where the input says so, the real certificate stands, so that mutation does not lose it.
std::string with_certificate(std::string_view header)
{
    constexpr std::string_view mark = "CERT";
    std::string text{header};
    if (const auto at = text.find(mark); at != std::string::npos)
        text.replace(at, mark.size(), to_base64(test::card_certificate().der()));
    return text;
}

/// A token as given, or (first octet odd) a header and a payload that the card really signed,
/// so that what comes after the signature is reached.
std::string token_of(std::string_view input)
{
    const bool signed_here = (input.front() & 1) != 0;
    input.remove_prefix(1);
    if (!signed_here)
        return std::string{input};
    const auto cut = std::min(input.find('\n'), input.size());
    const auto payload = cut == input.size() ? std::string_view{} : input.substr(cut + 1);
    return test::sign_texts(with_certificate(input.substr(0, cut)), payload, test::card_key());
}

} // namespace

/// Whatever a token says, the verifier answers with a verdict, and what it accepts is the
/// card's holder, this portal and a nonce of this portal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const auto token = token_of({reinterpret_cast<const char*>(data), size});
    test::Portal portal;
    const struct {
        verify::Expectation expected;
        token::Nonce nonce;
    } tried[] = {{portal.login_expected(), portal.login_nonce},
                 {portal.request_expected(), portal.request_nonce}};
    for (const auto& [expected, nonce] : tried) {
        const auto accepted = portal.verify(token, expected);
        if (accepted &&
            (accepted->claims.at("sub").as_string() != accepted->holder.id ||
             accepted->claims.at("aud").as_string() != portal.policy.audience.str() ||
             accepted->claims.at("nonce").as_string() != nonce.str()))
            std::abort();
    }
    return 0;
}
