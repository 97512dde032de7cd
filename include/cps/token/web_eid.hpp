#pragma once

#include "cps/base/bytes.hpp"
#include "cps/token/values.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cps::token {

/// A Web eID challenge nonce, kept as the text that it is: `[A-Za-z0-9+/=]{44,128}`.
class WebEidNonce {
public:
    static constexpr std::size_t min_size = 44;  // characters: 32 octets in base64
    static constexpr std::size_t max_size = 128; // characters
    static std::optional<WebEidNonce> parse(std::string_view text);
    const std::string& str() const noexcept { return text_; }
    friend bool operator==(const WebEidNonce&, const WebEidNonce&) = default;
    friend auto operator<=>(const WebEidNonce&, const WebEidNonce&) = default;

private:
    explicit WebEidNonce(std::string_view text) : text_{text} {}
    std::string text_;
};

/// What RS256 signs: SHA-256(origin) ‖ SHA-256(nonce), 64 octets (Web eID authentication token
/// format 1.0). A page chooses neither of the two digests' places nor their length, so no text
/// of its own can be signed in this way.
Bytes web_eid_message(const Origin& origin, const WebEidNonce& nonce);

/// `{"unverifiedCertificate","algorithm":"RS256","signature","format":"web-eid:1.0",
/// "appVersion"}`, with certificate and signature in standard base64.
std::string web_eid_token(ByteView certificate_der, ByteView signature,
                          std::string_view app_version);

} // namespace cps::token
