#include "forge/token_forge.hpp"

#include "cps/base/encoding.hpp"
#include "cps/token/json.hpp"

#include <boost/json/serialize.hpp>

namespace cps::forge {
namespace {

constexpr std::size_t max_part = 64 * 1024; // octets; tests make tokens that are too long

boost::json::object object_in(std::string_view base64url)
{
    const auto json = from_base64url(base64url).value();
    return token::parse_json(text_of(json), max_part).value().as_object();
}

TokenDraft taken_apart(std::string_view input, crypto::SignatureAlgorithm algorithm)
{
    const auto dot = input.find('.');
    return {object_in(input.substr(0, dot)), object_in(input.substr(dot + 1)), algorithm};
}

} // namespace

std::string sign_texts(std::string_view header, std::string_view payload,
                       const crypto::PrivateKey& key, crypto::SignatureAlgorithm algorithm)
{
    const auto input = to_base64url(octets(header)) + '.' + to_base64url(octets(payload));
    return token::compact(input, key.sign(algorithm, octets(input)));
}

TokenDraft TokenDraft::good(const token::CardClaims& claims, ByteView certificate_der,
                            crypto::SignatureAlgorithm algorithm)
{
    return taken_apart(token::signing_input(claims, algorithm, certificate_der), algorithm);
}

TokenDraft TokenDraft::of_session_key(std::string_view signing_input)
{
    return taken_apart(signing_input, crypto::SignatureAlgorithm::es256);
}

std::string TokenDraft::sign(const crypto::PrivateKey& key) const
{
    return sign_texts(boost::json::serialize(header), boost::json::serialize(claims), key,
                      algorithm);
}

} // namespace cps::forge
