#include "cps/token/jwk.hpp"

#include "cps/base/encoding.hpp"
#include "cps/crypto/digest.hpp"

#include <boost/json/serialize.hpp>

namespace cps::token {

boost::json::object to_jwk(const crypto::PublicKey& key)
{
    const auto point = key.p256_point();
    const auto half = point.size() / 2;
    return {{"crv", "P-256"},
            {"kty", "EC"},
            {"x", to_base64url(ByteView{point}.first(half))},
            {"y", to_base64url(ByteView{point}.subspan(half))}};
}

std::string thumbprint(const crypto::PublicKey& key)
{
    // The required members in the order of their names, without white space (RFC 7638, 3.2):
    // as `to_jwk` lists them.
    return to_base64url(crypto::sha256(octets(boost::json::serialize(to_jwk(key)))));
}

} // namespace cps::token
