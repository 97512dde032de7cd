#include "cps/token/web_eid.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/digest.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace cps::token {
namespace {

bool is_base64_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '+' || c == '/' || c == '=';
}

} // namespace

std::optional<WebEidNonce> WebEidNonce::parse(std::string_view text)
{
    if (text.size() < min_size || text.size() > max_size ||
        !std::ranges::all_of(text, is_base64_character))
        return std::nullopt;
    return WebEidNonce{text};
}

Bytes web_eid_message(const Origin& origin, const WebEidNonce& nonce)
{
    const auto first = crypto::sha256(octets(origin.str()));
    const auto second = crypto::sha256(octets(nonce.str()));
    Bytes message(first.size() + second.size());
    std::ranges::copy(second, std::ranges::copy(first, message.begin()).out);
    return message;
}

std::string web_eid_token(ByteView certificate_der, ByteView signature,
                          std::string_view app_version)
{
    return boost::json::serialize(
        boost::json::object{{"unverifiedCertificate", to_base64(certificate_der)},
                            {"algorithm", "RS256"},
                            {"signature", to_base64(signature)},
                            {"format", "web-eid:1.0"},
                            {"appVersion", app_version}});
}

} // namespace cps::token
