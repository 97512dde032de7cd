#include "cps/token/session_key_token.hpp"

#include "cps/base/encoding.hpp"
#include "cps/base/error.hpp"
#include "cps/token/card_token.hpp"
#include "cps/token/jwk.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cps::token {
namespace {

constexpr std::size_t usual_size = 600; // octets of a feature token's claims, near enough

std::string header(Kind kind, const std::string& kid)
{
    const boost::json::object keys{{"alg", "ES256"}, {"typ", typ_of(kind)}, {"kid", kid}};
    return to_base64url(octets(boost::json::serialize(keys))) + '.';
}

/// Appends `,"name":"value"`. The values are visible ASCII, as their types see to, so that
/// two characters alone want an escape (RFC 8259, 7).
void append(std::string& claims, std::string_view name, std::string_view value)
{
    claims.append(",\"").append(name).append("\":\"");
    for (const char c : value) {
        if (c == '"' || c == '\\')
            claims += '\\';
        claims += c;
    }
    claims += '"';
}

void append(std::string& claims, std::string_view name, long long value)
{
    claims.append(",\"").append(name).append("\":").append(std::to_string(value));
}

} // namespace

SessionKeyTokens::SessionKeyTokens(const Origin& audience, const crypto::PublicKey& session_key,
                                   std::string_view session_token)
    : cth_{token::token_hash(session_token)}
{
    const auto kid = thumbprint(session_key);
    feature_header_ = header(Kind::feature, kid);
    revoke_header_ = header(Kind::revoke, kid);
    claims_begin_ =
        boost::json::serialize(boost::json::object{{"aud", audience.str()}, {"cth", cth_}});
    claims_begin_.pop_back(); // the closing brace
}

std::string SessionKeyTokens::feature_input(const FeatureClaims& claims) const
{
    const auto life = claims.expires_at - claims.issued_at;
    if (life <= life.zero() || life > max_feature_lifetime || claims.seq == 0)
        throw Error{Errc::bad_argument, "a feature token out of bounds"};

    std::string payload;
    payload.reserve(usual_size);
    payload = claims_begin_;
    append(payload, "iat", to_number(claims.issued_at));
    append(payload, "exp", to_number(claims.expires_at));
    append(payload, "jti", claims.jti);
    append(payload, "seq", static_cast<long long>(claims.seq));
    append(payload, "feat", claims.feature.str());
    append(payload, "htm", claims.request.htm);
    append(payload, "htu", claims.request.htu);
    append(payload, "rid", claims.request.rid);
    if (claims.nonce)
        append(payload, "nonce", claims.nonce->str());
    payload += '}';
    return feature_header_ + to_base64url(octets(payload));
}

std::string SessionKeyTokens::revoke_input(std::string_view jti) const
{
    auto payload = claims_begin_;
    append(payload, "jti", jti);
    payload += '}';
    return revoke_header_ + to_base64url(octets(payload));
}

} // namespace cps::token
